"""Who a request is for: forged tokens are refused, and nothing but the token says whose it is."""
import base64
import json
import time

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from support import web_tokens
from support.raw_http import bearer, chunked, request
from support.web_tokens import claims_for, encode, es256, hs256, make, rs256



class Forger:
    """Everything that is public, the real keys for the controls, and keys of its own."""

    def __init__(self, lab, rsa_issuer):
        self.lab = lab
        folder = lab.platform_file.parent / "secrets"
        self.key = serialization.load_pem_private_key((folder / "issuer.pem").read_bytes(), None)
        (self.public_key,) = json.loads((folder / "issuer-jwks.json").read_text())["keys"]
        dev = lab.platform["identity"]["issuers"][0]
        self.issuer, self.audience = dev["issuer"], dev["audience"]
        self.header = {"alg": "ES256", "kid": self.public_key["kid"], "typ": "JWT"}
        self.rsa_issuer, self.rsa_key = rsa_issuer["issuer"], rsa_issuer["key"]
        self.rsa_header = {"alg": "RS256", "kid": "rsa"}
        self.own = ec.generate_private_key(ec.SECP256R1())
        self.acme, self.globex = lab.tenant_id("acme"), lab.tenant_id("globex")

    def claims(self, tenant=None, **changes):
        return claims_for(tenant or self.globex, self.issuer, self.audience, **changes)

    def rsa_claims(self, tenant=None):
        return claims_for(tenant or self.globex, self.rsa_issuer, self.audience)

    def signed(self, header=None, **changes):
        """By the real key: what only a confused issuer would make."""
        return make(self.header if header is None else header, self.claims(**changes), es256(self.key))


def unsigned(_):
    return b""


def none_tokens(f):
    for name in ("none", "None", "NONE", "nOnE", "", None):
        yield f"alg {name}", make({"alg": name}, f.claims(), unsigned)
        yield f"alg {name} with kid", make({**f.header, "alg": name}, f.claims(), unsigned)
    yield "no alg", make({"kid": f.header["kid"]}, f.claims(), es256(f.key))
    yield "no signature", f.signed().rpartition(".")[0] + "."
    yield "no third part", f.signed().rpartition(".")[0]


def confused_algorithms(f):
    secrets = {"its PEM": web_tokens.public_pem(f.rsa_key), "its PEM without the last line end": web_tokens.public_pem(f.rsa_key).strip(),
               "its DER": web_tokens.public_der(f.rsa_key), "nothing": b""}
    for what, secret in secrets.items():
        for algorithm in ("HS256", "hs256"):
            yield f"{algorithm} with the RSA key, {what}", make({**f.rsa_header, "alg": algorithm}, f.rsa_claims(), hs256(secret))
    for what, secret in {"PEM": web_tokens.public_pem(f.key), "JWK": json.dumps(f.public_key).encode(), "kid": f.header["kid"].encode()}.items():
        yield f"HS256 with the EC key's {what}", make({**f.header, "alg": "HS256"}, f.claims(), hs256(secret))
    for algorithm in ("ES384", "RS256", "PS256", "EdDSA", "es256", "ES256K", ["ES256"], 256):
        yield f"alg {algorithm} over an ES256 signature", make({**f.header, "alg": algorithm}, f.claims(), es256(f.key))
    yield "PS256 with a key for RS256", make({**f.rsa_header, "alg": "PS256"}, f.rsa_claims(), rs256(f.rsa_key))


def foreign_keys(f):
    yield "another key", make(f.header, f.claims(), es256(f.own))
    yield "another key, no kid", make({"alg": "ES256"}, f.claims(), es256(f.own))
    for kid in ("../../../../dev/null", "/dev/null", "' OR 1=1 --", "rsa", "", 0, None, ["x"], "x" * 4000, f.header["kid"] + "\0"):
        yield f"kid {kid!r:.30}", make({**f.header, "kid": kid}, f.claims(), hs256(b""))
        yield f"kid {kid!r:.30}, own key", make({**f.header, "kid": kid}, f.claims(), es256(f.own))
    own = web_tokens.ec_key_set(f.own, "own")
    yield "jwk in the header", make({**f.header, "jwk": own["keys"][0]}, f.claims(), es256(f.own))
    yield "jwk in the header, its kid", make({"alg": "ES256", "kid": "own", "jwk": own["keys"][0]}, f.claims(), es256(f.own))
    for member in ("jku", "x5u"):
        yield member, make({**f.header, member: "http://127.0.0.1:1/keys"}, f.claims(), es256(f.own))
    yield "x5c", make({**f.header, "x5c": [base64.b64encode(b"x").decode()]}, f.claims(), es256(f.own))
    yield "another issuer's key", make({**f.rsa_header}, f.claims(), rs256(f.rsa_key))
    yield "another issuer's name", make(f.header, f.claims(iss=f.rsa_issuer), es256(f.key))


def bad_claims(f):
    now = int(time.time())
    yield "expired", f.signed(exp=now - 120)
    yield "never expires", f.signed(exp=None)
    for exp in (str(now + 600), -1, 0, 1e308, True, None, [now + 600], {"a": 1}):
        yield f"exp {exp!r}", f.signed(exp=exp if exp is not None else "null")
    yield "not yet valid", f.signed(nbf=now + 600)
    yield "made in the future", f.signed(iat=now + 600)
    for iss in ("https://evil.example", "", None, [f.issuer], f.issuer + "/", f.issuer.upper()):
        yield f"iss {iss!r}", f.signed(iss=iss)
    for aud in ("somebody else", "", None, [], ["somebody else"], {"aud": f.audience}, [f.audience, 1], f.audience + " "):
        yield f"aud {aud!r}", f.signed(aud=aud)
    for tenant in ("", "nobody", "GLOBEX", " globex", "globex\0", f.globex + " ", [f.globex], {"id": f.globex}, 2, True, "*",
                   "00000000-0000-0000-0000-000000000000"):
        yield f"tenant {tenant!r}", f.signed(tenant_id=tenant)
    yield "no tenant", f.signed(tenant_id=None)
    yield "tenant in another claim", f.signed(tenant_id=None, tenant=f.globex, tid=f.globex)
    text = json.dumps(f.claims())
    for both in ((f.acme, f.globex), (f.globex, f.acme)):
        pair = ",".join(f'"tenant_id":"{one}"' for one in both)
        yield f"two tenants {both}", make(f.header, "{" + pair + "," + json.dumps(f.claims(tenant_id=None))[1:], es256(f.key))
    yield "two headers alg", make('{"alg":"none","alg":"ES256","kid":"%s"}' % f.header["kid"], f.claims(), es256(f.key))
    for what, payload in {"a list": f"[{text}]", "a string": json.dumps(text), "nothing": "", "no UTF-8": b"\xff" + text.encode(),
                          "a comment": "/**/" + text, "two objects": text + text, "deep": text[:-1] + ',"x":' + "[" * 500 + "]" * 500 + "}",
                          "a NaN": text[:-1] + ',"exp":NaN}'}.items():
        yield f"claims are {what}", make(f.header, payload, es256(f.key))
    for crit in (["exp"], ["b64"], [], "x", ["unknown"]):
        yield f"crit {crit}", make({**f.header, "crit": crit, "unknown": 1}, f.claims(), es256(f.key))
    yield "b64 false", make({**f.header, "b64": False, "crit": ["b64"]}, f.claims(), es256(f.key))


def changed_tokens(f):
    good = f.lab.token("acme")
    header, payload, signature = good.split(".")
    claims = json.loads(web_tokens.decode(payload))
    assert claims["tenant_id"] in (f.acme, "acme")
    yield "acme's token with globex in it", f"{header}.{encode(claims | {'tenant_id': f.globex})}.{signature}"
    yield "acme's payload, globex's signature", f"{header}.{payload}.{f.lab.token('globex').split('.')[2]}"
    raw = web_tokens.decode(signature)
    yield "a changed signature", f"{header}.{payload}.{encode(bytes([raw[0] ^ 1]) + raw[1:])}"
    yield "r and s zero", f"{header}.{encode(claims | {'tenant_id': f.globex})}.{encode(bytes(64))}"
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    yield "r and s the order", f"{header}.{encode(claims | {'tenant_id': f.globex})}.{encode(order.to_bytes(32, 'big') * 2)}"
    yield "signature in DER", make(f.header, f.claims(), lambda data: f.key.sign(data, ec.ECDSA(web_tokens.hashes.SHA256())))
    yield "signature longer", f"{header}.{payload}.{encode(raw + b'x')}"
    yield "signature shorter", f"{header}.{payload}.{encode(raw[:-1])}"
    yield "padding", good + "=="
    last = signature[-1]
    others = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    yield "not canonical", f"{header}.{payload}.{signature[:-1]}{others[others.index(last) ^ 1]}"
    for what, token in {"four parts": good + ".x", "five parts": f"{good}.x.y", "blank": good[:20] + " " + good[20:], "quotes": f'"{good}"',
                        "a comma and another": f"{good},{f.lab.token('globex')}", "standard base64": good.replace("_", "/").replace("-", "+") + "+",
                        "much": good + "A" * 9000, "dots": "..", "one dot": ".", "a context": f.lab.context("globex"),
                        "detached": f"{header}..{signature}"}.items():
        yield what, token


KINDS = [none_tokens, confused_algorithms, foreign_keys, bad_claims, changed_tokens]


@pytest.fixture(scope="module")
def forger(lab, rsa_issuer):
    return Forger(lab, rsa_issuer)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_forged_tokens_are_refused(forger, application, kind):
    application.forget()
    for what, token in kind(forger):
        with forger.lab.raw_http() as connection:
            answer = connection.request("GET", "/", [bearer(token)])
        assert answer.status in (400, 401, 403, 431), what
        assert forger.lab.tenant_id("globex").encode() not in answer.body and b"globex" not in answer.body, what
    assert application.requests() == [], "none of them reached the application"


def test_good_tokens_are_accepted(forger, application):
    """The control: what the forger makes with the real keys is taken for what it says."""
    application.forget()
    tokens = [forger.signed(), forger.signed(tenant_id="globex"), make(forger.rsa_header, forger.rsa_claims(), rs256(forger.rsa_key)),
              make({"alg": "ES256", "kid": forger.header["kid"]}, forger.claims(aud=["x", forger.audience]), es256(forger.key))]
    for token in tokens:
        with forger.lab.raw_http() as connection:
            assert connection.request("GET", "/", [bearer(token)]).status == 200
    assert [one.header("x-tenant-slug") for one in application.requests()] == ["globex"] * len(tokens)


@pytest.mark.parametrize("headers", [
    [], [("Authorization", "{token}")], [("Authorization", "Basic {token}")], [("Authorization", "Bearer")], [("Authorization", "Bearer ")],
    [("Authorization", "Bearer {token}"), ("Authorization", "Bearer {token}")], [("Proxy-Authorization", "Bearer {token}")],
    [("Cookie", "token={token}; Authorization=Bearer {token}")], [("X-Authorization", "Bearer {token}")], [("Authorisation", "Bearer {token}")],
    [("Authorization", "Bearer {token}, Bearer {token}")], [("Authorization", "Bearer\t{token}x")], [("X-Partywall-Context", "{context}")],
    [("X-Tenant-Id", "{globex}"), ("X-Tenant-Slug", "globex")],
], ids=repr)
def test_the_token_must_be_where_it_belongs(lab, application, headers):
    application.forget()
    values = {"token": lab.token("globex"), "globex": lab.tenant_id("globex"), "context": lab.context("globex")}
    filled = [(name, value.format(**values)) for name, value in headers]
    with lab.raw_http() as connection:
        assert connection.request("GET", f"/?access_token={values['token']}", filled).status in (400, 401)
    assert application.requests() == []


# Names that mean the same as the door's to some server: WSGI and CGI make no difference between - and _.
SPOOFED = ["X-Tenant-Id", "x-tenant-id", "X_Tenant_Id", "X-Tenant_Id", "X_TENANT-ID", "X-Tenant-Slug", "X_Tenant_Slug", "X-Tenant-Tier", "X-Tenant",
           "X-Tenant-Role", "X-Partywall-Context", "X_Partywall_Context", "X-Partywall_Context", "X-PARTYWALL-CONTEXT", "X-Partywall-Anything",
           "X.Tenant.Id", "X-Tenant.Id", "X~Tenant~Id"]


def folded(name):
    return "".join(c if c.isalnum() else "-" for c in name.lower())


def check_identity(lab, seen, tenant="acme"):
    """What the application got says it is that tenant's, once, in every way of reading header names."""
    by_name = {}
    for name, value in seen.headers:
        by_name.setdefault(folded(name), []).append(value)
    ours = {name: values for name, values in by_name.items() if name.startswith(("x-tenant", "x-partywall"))}
    context = ours.pop("x-partywall-context")
    tier = {"acme": "free", "globex": "enterprise"}[tenant]
    assert ours == {"x-tenant-id": [lab.tenant_id(tenant)], "x-tenant-slug": [tenant], "x-tenant-tier": [tier]}
    assert len(context) == 1 and context[0].startswith("pw1.") and lab.tenant_id(tenant).replace("-", "") in payload_of(context[0])


def payload_of(context):
    return web_tokens.decode(context.split(".")[1]).hex()


@pytest.mark.parametrize("name", SPOOFED)
@pytest.mark.parametrize("times", [1, 2])
def test_headers_that_claim_a_tenant_are_dropped(lab, application, name, times):
    application.forget()
    spoofs = [(name, lab.tenant_id("globex"))] * times
    with lab.raw_http() as connection:
        for headers in ([*spoofs, bearer(lab.token("acme"))], [bearer(lab.token("acme")), *spoofs]):
            answer = connection.request("GET", "/", headers)
            assert answer.status in (200, 400)
    for seen in application.requests():
        check_identity(lab, seen)
        assert lab.tenant_id("globex") not in repr(seen.headers)


def test_a_stolen_context_in_a_header_is_dropped(lab, application):
    application.forget()
    stolen = lab.context("globex")
    with lab.raw_http() as connection:
        assert connection.request("GET", "/", [bearer(lab.token("acme")), ("X-Partywall-Context", stolen)]).status == 200
    (seen,) = application.requests()
    check_identity(lab, seen)
    assert stolen not in repr(seen.headers)


@pytest.mark.parametrize("nominated", ["X-Tenant-Id, X-Partywall-Context, X-Tenant-Slug, X-Tenant-Tier", "x-partywall-context", "close, X-Tenant-Id",
                                       "Authorization", "Host, Content-Length", "keep-alive, X-Tenant-Id, X-Tenant-Id"])
def test_connection_cannot_nominate_the_doors_headers(lab, application, nominated):
    """A proxy removes what Connection names; what the door adds is not the client's to name."""
    application.forget()
    with lab.raw_http() as connection:
        answer = connection.request("GET", "/", [bearer(lab.token("acme")), ("Connection", nominated), ("X-Tenant-Id", lab.tenant_id("globex"))])
    assert answer.status in (200, 400, 401)
    for seen in application.requests():
        check_identity(lab, seen)


def test_trailers_claim_no_tenant(lab, application):
    application.forget()
    body = chunked(b"x")[:-2] + f"X-Tenant-Id: {lab.tenant_id('globex')}\r\nX_Partywall_Context: pw1.x.y\r\nAuthorization: x\r\nX-Fine: yes\r\n\r\n".encode()
    with lab.raw_http() as connection:
        connection.send(request("POST", "/", [bearer(lab.token("acme")), ("Transfer-Encoding", "chunked"), ("Trailer", "X-Tenant-Id")]) + body)
        assert connection.read_response().status in (200, 400)
    for seen in application.requests():
        check_identity(lab, seen)
        assert not [name for name, _ in seen.trailers if folded(name).startswith(("x-tenant", "x-partywall", "authorization"))]


@pytest.mark.parametrize("line", ["GET http://globex.example/ HTTP/1.1", "GET /?tenant_id=globex&X-Tenant-Id=globex HTTP/1.1",
                                  "GET http://user:globex@shop.example/ HTTP/1.1"])
def test_targets_claim_no_tenant(lab, application, line):
    application.forget()
    with lab.raw_http() as connection:
        connection.send(f"{line}\r\nHost: globex.example\r\nAuthorization: Bearer {lab.token('acme')}\r\n"
                        "X-Forwarded-Host: globex.example\r\nX-Original-URL: /globex\r\nForwarded: host=globex\r\n\r\n".encode())
        assert connection.read_response().status in (200, 400)
    for seen in application.requests():
        check_identity(lab, seen)
        assert "globex" not in (seen.header("forwarded") or "").replace("globex.example", "")


def test_without_the_door_the_application_believes_anybody(lab, application):
    """The control: the headers decide, so they must come from the door alone."""
    from support.raw_http import RawHttp
    application.forget()
    with RawHttp(application.port) as connection:
        connection.request("GET", "/", [("X-Tenant-Id", lab.tenant_id("globex"))])
    assert application.requests()[0].header("x-tenant-id") == lab.tenant_id("globex")
