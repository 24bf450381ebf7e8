"""Requests whose end two readers could see in different places. The application must see exactly what the door saw."""
import contextlib

import pytest

from support.raw_http import RawHttp

SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: shop.example\r\nX-Tenant-Slug: globex\r\nX-Pad: "
CHUNKED_END = b"0\r\n\r\n"
LENGTH = len(CHUNKED_END + SMUGGLED)


def post(*lines, body=b""):
    return b"POST /first HTTP/1.1\r\nHost: shop.example\r\n{auth}" + b"".join(line + b"\r\n" for line in lines) + b"\r\n" + body


# name: (bytes, whether a server that reads leniently sees /smuggled in them)
ATTACKS = {
    "CL.TE": (post(b"Content-Length: %d" % LENGTH, b"Transfer-Encoding: chunked", body=CHUNKED_END + SMUGGLED), True),
    "TE.CL": (post(b"Transfer-Encoding: chunked", b"Content-Length: 4",
                   body=b"%x\r\n%s\r\n" % (len(SMUGGLED) + 4, SMUGGLED + b"x\r\n\r\n") + CHUNKED_END), False),
    "TE, one of two": (post(b"Transfer-Encoding: identity", b"Transfer-Encoding: chunked", body=CHUNKED_END + SMUGGLED), True),
    "TE chunked twice": (post(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked", body=CHUNKED_END + SMUGGLED), True),
}
for name, value in {"xchunked": b"xchunked", "chunked, identity": b"chunked, identity", "identity, chunked": b"identity, chunked",
                    "quoted": b'"chunked"', "a tab": b"\tchunked", "a vertical tab": b"\x0bchunked", "behind a comma": b", chunked", "in upper case": b"CHUNKED",
                    "with a parameter": b"chunked;q=1", "gzip": b"gzip, chunked", "nothing": b"", "a zero byte": b"chunked\0", "latin": b"chun\xe9ked"}.items():
    ATTACKS[f"TE: {name}"] = (post(b"Content-Length: %d" % LENGTH, b"Transfer-Encoding: " + value, body=CHUNKED_END + SMUGGLED), None)
for name, line in {"a blank before the colon": b"Transfer-Encoding : chunked", "a blank at the start": b" Transfer-Encoding: chunked",
                   "an underscore": b"Transfer_Encoding: chunked", "a bare LF before": b"X: y\nTransfer-Encoding: chunked",
                   "a bare CR before": b"X: y\rTransfer-Encoding: chunked", "a fold": b"Transfer-Encoding:\r\n chunked",
                   "a zero byte in the name": b"Transfer-Encoding\0: chunked", "no colon": b"Transfer-Encoding chunked"}.items():
    ATTACKS[f"TE with {name}"] = (post(b"Content-Length: %d" % LENGTH, line, body=CHUNKED_END + SMUGGLED), None)
for name, value in {"plus": b"+5", "minus": b"-5", "hex": b"0x5", "list": b"5, 5", "list of different": b"5, 6", "blank": b"5 5", "underscore": b"1_0",
                    "huge": b"18446744073709551621", "larger": b"99999999999999999999999", "fraction": b"5.0", "exponent": b"5e0", "empty": b"",
                    "letters": b"five", "quotes": b'"5"', "behind zero": b"005", "tab inside": b"5\t5"}.items():
    ATTACKS[f"CL: {name}"] = (post(b"Content-Length: " + value, body=b"hello" + SMUGGLED), None)
ATTACKS |= {
    "two CL": (post(b"Content-Length: 5", b"Content-Length: 0", body=b"hello" + SMUGGLED), True),
    "two CL, other order": (post(b"Content-Length: 0", b"Content-Length: 5", body=SMUGGLED), None),
    "the same CL twice": (post(b"Content-Length: 5", b"Content-Length: 5", body=b"hello"), None),
    "CL and content_length": (post(b"Content_Length: 5", b"Content-Length: 0", body=SMUGGLED), True),
    "Connection nominates CL": (post(b"Connection: Content-Length", b"Content-Length: %d" % len(SMUGGLED), body=SMUGGLED), None),
    "Connection nominates TE": (post(b"Connection: Transfer-Encoding", b"Transfer-Encoding: chunked", body=CHUNKED_END + SMUGGLED), True),
    "GET with a body": (b"GET /first HTTP/1.1\r\nHost: shop.example\r\n{auth}Content-Length: %d\r\n\r\n" % len(SMUGGLED) + SMUGGLED, None),
    "HEAD with a body": (b"HEAD /first HTTP/1.1\r\nHost: shop.example\r\n{auth}Content-Length: %d\r\n\r\n" % len(SMUGGLED) + SMUGGLED, None),
    "HTTP/1.0 with TE": (b"POST /first HTTP/1.0\r\nHost: shop.example\r\n{auth}Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKED_END + SMUGGLED, None),
    "HTTP/1.0 keep-alive": (b"POST /first HTTP/1.0\r\nHost: shop.example\r\n{auth}Connection: keep-alive\r\n\r\n" + SMUGGLED, None),
    "HTTP/0.9": (b"GET /smuggled\r\n", None),
    "HTTP/1.2": (b"GET /first HTTP/1.2\r\nHost: shop.example\r\n{auth}\r\n", None),
    "HTTP/2 preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + SMUGGLED, None),
    "h2c upgrade": (b"GET /first HTTP/1.1\r\nHost: shop.example\r\n{auth}Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAA\r\n\r\n" + SMUGGLED, None),
    "upgrade to a tunnel": (b"GET /first HTTP/1.1\r\nHost: shop.example\r\n{auth}Upgrade: websocket\r\nConnection: Upgrade\r\n"
                            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n" + SMUGGLED, None),
    "CONNECT": (b"CONNECT 127.0.0.1:1 HTTP/1.1\r\nHost: shop.example\r\n{auth}\r\n" + SMUGGLED, None),
    "TRACE": (b"TRACE /first HTTP/1.1\r\nHost: shop.example\r\n{auth}Content-Length: %d\r\n\r\n" % len(SMUGGLED) + SMUGGLED, None),
    "blank in the target": (b"GET /first HTTP/1.1\r\nX: /smuggled HTTP/1.1\r\nHost: shop.example\r\n{auth}\r\n", None),
    "two blanks": (b"GET  /smuggled HTTP/1.1\r\nHost: shop.example\r\n{auth}\r\n", None),
    "CR LF in the target": (b"GET /first\r\nHost:x\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: shop.example\r\n{auth}\r\n", None),
    "two hosts": (post(b"Host: globex.example", b"Content-Length: 0"), None),
    "no host": (b"GET /first HTTP/1.1\r\n{auth}\r\n", None),
    "a header without a name": (post(b": x", b"Content-Length: 0"), None),
    "a fold": (post(b"X-A: b", b" c", b"Content-Length: 0"), None),
    "bare LF": (b"POST /first HTTP/1.1\nHost: shop.example\n{auth}Content-Length: %d\n\n" % len(SMUGGLED) + SMUGGLED, None),
    "Expect and a body": (post(b"Expect: 100-continue", b"Content-Length: %d" % len(SMUGGLED), body=SMUGGLED), None),
    "unknown Expect": (post(b"Expect: 200-ok", b"Content-Length: 0", body=SMUGGLED), None),
}
for name, body in {"extension with LF": b"1;x=\n\r\ny\r\n" + CHUNKED_END, "LF for CR LF": b"1\ny\n0\n\n", "too much": b"ffffffffffffffff1\r\ny\r\n" + CHUNKED_END,
                   "overflow": b"10000000000000001\r\ny\r\n" + CHUNKED_END, "hex prefix": b"0x1\r\ny\r\n" + CHUNKED_END, "plus": b"+1\r\ny\r\n" + CHUNKED_END,
                   "blank": b" 1\r\ny\r\n" + CHUNKED_END, "underscore": b"0_1\r\ny\r\n" + CHUNKED_END, "longer than it says": b"1\r\nyz\r\n" + CHUNKED_END,
                   "shorter than it says": b"5\r\ny\r\n" + CHUNKED_END, "a CR in an extension": b"1;a\rb\r\ny\r\n" + CHUNKED_END, "nothing": b"\r\n",
                   "negative": b"-1\r\ny\r\n" + CHUNKED_END, "trailer without end": b"0\r\nX: y\r\n", "bare CR": b"1\ry\r0\r\r"}.items():
    ATTACKS[f"chunk: {name}"] = (post(b"Transfer-Encoding: chunked", body=body + SMUGGLED), None)


@pytest.mark.parametrize("name", ATTACKS)
def test_the_application_sees_what_the_door_saw(lab, application, name):
    """Nothing of acme's body becomes a request; and whoever comes next on the application's connection is not hurt."""
    data, _ = ATTACKS[name]
    application.forget()
    answered = 0
    with lab.raw_http() as connection:
        with contextlib.suppress(ConnectionError):
            connection.send(data.replace(b"{auth}", f"Authorization: Bearer {lab.token('acme')}\r\n".encode()))
            connection.end_sending()
        with contextlib.suppress(EOFError, ConnectionError, TimeoutError):
            connection.socket.settimeout(2)
            while True:
                method = "HEAD" if data.startswith(b"HEAD") and answered == 0 else "GET"
                answered += connection.read_response(method).status < 400
    seen = application.requests()
    assert "/smuggled" not in [one.target for one in seen] and len(seen) <= max(answered, 1)
    for one in seen:
        assert one.header("x-tenant-slug") == "acme" and "globex" not in repr(one.headers)
    for number in range(3):  # more than the connections that the door keeps to the application
        with lab.raw_http() as connection:
            answer = connection.request("GET", f"/next/{number}", [("Authorization", f"Bearer {lab.token('globex')}")])
            assert answer.status == 200 and answer.json()["target"] == f"/next/{number}"


@pytest.mark.parametrize("name", [name for name, (_, lenient) in ATTACKS.items() if lenient])
def test_a_relay_would_let_it_through(application, name):
    """The control: passed on as they are, these bytes are two requests to an application that reads leniently."""
    application.forget()
    with RawHttp(application.port) as connection:
        connection.send(ATTACKS[name][0].replace(b"{auth}", b"") + b"\r\n\r\n")
        connection.end_sending()
        connection.read_all()
    assert [one.target for one in application.requests()] == ["/first", "/smuggled"]


@pytest.mark.parametrize("behind", [
    "HTTP/1.1 200 OK\\r\\nContent-Length: 6\\r\\nX-Planted: yes\\r\\n\\r\\nforged",
    "HTTP/1.1 100 Continue\\r\\n\\r\\n", "garbage", "\\r\\n", "HTTP/1.1 200 OK\\r\\nContent-Length: 100000\\r\\n\\r\\n",
])
def test_more_than_one_answer(lab, application, behind):
    """An application that is made to send something behind its answer to acme: globex never gets it."""
    application.forget()
    with lab.raw_http() as attacker:
        answer = attacker.request("GET", "/", [("Authorization", f"Bearer {lab.token('acme')}"), ("X-Echo-Behind", behind)])
        assert answer.status in (200, 502)
    for number in range(5):
        with lab.raw_http() as connection:
            answer = connection.request("GET", f"/next/{number}", [("Authorization", f"Bearer {lab.token('globex')}")])
            assert answer.header("x-planted") is None and answer.json()["target"] == f"/next/{number}"


@pytest.mark.parametrize("status", [204, 304])
def test_a_body_where_none_may_be(lab, application, status):
    """An answer with a status that has no body, and bytes behind it."""
    planted = "HTTP/1.1 200 OK\\r\\nContent-Length: 6\\r\\nX-Planted: yes\\r\\n\\r\\nforged"
    with lab.raw_http() as attacker:
        attacker.request("GET", "/", [("Authorization", f"Bearer {lab.token('acme')}"), ("X-Echo-Status", status), ("X-Echo-Behind", planted)])
    with lab.raw_http() as connection:
        answer = connection.request("GET", "/next", [("Authorization", f"Bearer {lab.token('globex')}")])
        assert answer.header("x-planted") is None and answer.json()["target"] == "/next"
