import trio, httpx
from support.gateways import open_serving
from capabilities import Answer
from waav.testing import FakeMiddleware, manifest_of
async def raw(port, text):
    async with await trio.open_tcp_stream("127.0.0.1", port) as s:
        await s.send_all(text)
        out=b""
        with trio.move_on_after(1):
            while (d:=await s.receive_some()): out+=d
        return out
async def test_paths():
    fake=FakeMiddleware()
    async with open_serving(manifest_of("m", middleware=fake)) as serving:
        for t in ["/plugins","//plugins","///api/plugins","/plugins/","//api//plugins","/api//plugins","/%2fplugins","http://a/plugins","/./plugins","/api/../plugins","plugins","/plugins;a", "/plugins?x", "/x/../plugins", "/\\plugins", "/%70lugins", "//a/plugins","*"]:
            out = await raw(serving.port, f"GET {t} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
            print(t, out.split(b"\r\n")[0], [r.path for r in fake.requests][-1:])
async def test_204():
    for a in (Answer(204), Answer(304), Answer(204,"x"), Answer(205), Answer(301, headers={"location":"/x"})):
        async with open_serving(manifest_of("m", middleware=FakeMiddleware(answer=a))) as serving:
            out = await raw(serving.port, b"GET /plugins HTTP/1.1\r\nHost: a\r\n\r\n")
            out2 = await raw(serving.port, b"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n")
            print(a, out, out2)
