"""A gRPC server by grpcio, as a program of its own: its threads and ``fork()`` do not go together.

Started with one argument, a JSON object of options; writes its port to the first line of stdout.
A line ``stop SECONDS`` on stdin ends it gracefully; the end of stdin ends it at once.
"""

import json
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc

Unary = Callable[[bytes, grpc.ServicerContext], bytes]
Stream = Callable[[Iterator[bytes], grpc.ServicerContext], Iterator[bytes]]

_lock = threading.Lock()
_open: set[grpc.ServicerContext] = set()


def fail(request: bytes, context: grpc.ServicerContext) -> bytes:
    """End as the request says: code, message, trailing metadata."""
    wanted = json.loads(request)
    trailers = [
        (name, value.encode("latin-1") if name.endswith("-bin") else value)
        for name, value in wanted.get("trailers", {}).items()
    ]
    context.set_trailing_metadata(trailers)
    context.abort(grpc.StatusCode[wanted["code"]], wanted["message"])
    raise AssertionError("abort raises")


def fail_late(request: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
    """Answer twice, then go wrong."""
    yield b"one"
    yield b"two"
    fail(next(request), context)


def seen(request: bytes, context: grpc.ServicerContext) -> bytes:
    """Return the metadata that has come, and the seconds that are left."""
    metadata = {
        each.key: each.value.decode("latin-1") if isinstance(each.value, bytes) else each.value
        for each in context.invocation_metadata()
    }
    return json.dumps({"metadata": metadata, "left": context.time_remaining()}).encode()


def count(request: bytes, context: grpc.ServicerContext) -> bytes:
    """Return how many streams are open."""
    with _lock:
        return str(len(_open)).encode()


def squeezed(request: bytes, context: grpc.ServicerContext) -> bytes:
    """Return the request, compressed."""
    context.set_compression(grpc.Compression.Gzip)
    return request


def echo(requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
    """Return each message as it comes."""
    with _lock:
        _open.add(context)
    context.add_callback(lambda: _closed(context))
    yield from requests


def _closed(context: grpc.ServicerContext) -> None:
    with _lock:
        _open.discard(context)


UNARY: dict[str, Unary] = {
    "/test.Server/Fail": fail,
    "/test.Server/Seen": seen,
    "/test.Server/Count": count,
    "/test.Server/Squeezed": squeezed,
}
STREAMS: dict[str, Stream] = {"/test.Server/Echo": echo, "/test.Server/FailLate": fail_late}


class Methods(grpc.GenericRpcHandler):
    """All of them, with bytes for messages."""

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        name = handler_call_details.method
        if name in UNARY:
            return grpc.unary_unary_rpc_method_handler(UNARY[name])
        if name in STREAMS:
            return grpc.stream_stream_rpc_method_handler(STREAMS[name])
        return None


def main(options: dict[str, Any]) -> None:
    pool = ThreadPoolExecutor(max_workers=64)
    server = grpc.server(pool, handlers=[Methods()], options=options.get("options", {}).items())
    if "certificate" in options:
        wants_client = "client_ca" in options
        credentials = grpc.ssl_server_credentials(
            [(Path(options["key"]).read_bytes(), Path(options["certificate"]).read_bytes())],
            Path(options["client_ca"]).read_bytes() if wants_client else None,
            require_client_auth=wants_client,
        )
        port = server.add_secure_port("127.0.0.1:0", credentials)
    else:
        port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)  # noqa: T201 - this is how the test learns it
    for line in sys.stdin:
        server.stop(float(line.removeprefix("stop "))).wait()
    server.stop(0).wait()


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
