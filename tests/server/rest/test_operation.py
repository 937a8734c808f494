"""What an operation says about itself."""

from waav.server.rest.operation import Answer, Body, Operation, Reply


async def do_it(_gateway: object) -> Reply[str]:
    """Do it.

    It is a longer story
    on two lines.

    And has two parts.
    """
    return Reply("")


def test_the_docstring_describes_it() -> None:
    operation = Operation("GET", "/it", do_it, "tag", {200: Answer(str)})
    assert operation.summary == "Do it"
    assert operation.description == "It is a longer story on two lines.\n\nAnd has two parts."


def test_names_come_from_the_path() -> None:
    paths = ["/", "/health/ready", "/plugins/{id}", "/openapi.json"]
    names = [Operation("GET", path, do_it, "tag", {}).name for path in paths]
    assert names == ["get_root", "get_health_ready", "get_plugins_id", "get_openapi_json"]


def test_errors_follow_from_what_it_takes() -> None:
    body = Body((), dict)
    assert Operation("GET", "/", do_it, "tag", {}, public=True).errors == [500]
    assert Operation("GET", "/", do_it, "tag", {}).errors == [401, 500, 502, 503]
    assert Operation("GET", "/", do_it, "tag", {}, query=str, public=True).errors == [422, 500]
    operation = Operation("POST", "/", do_it, "tag", {}, body=body, refusals=frozenset({504}))
    assert operation.errors == [400, 401, 408, 413, 415, 422, 500, 502, 503, 504]
