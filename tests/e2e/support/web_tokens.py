"""JSON Web Tokens made by hand: any header, any claims, any signature."""
import base64
import hashlib
import hmac
import json
import time

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, utils


def encode(data):
    if not isinstance(data, (bytes, str)):
        data = json.dumps(data, separators=(",", ":"))
    return base64.urlsafe_b64encode(data if isinstance(data, bytes) else data.encode()).rstrip(b"=").decode()


def decode(part):
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def number(value):
    return encode(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def es256(key):
    """Signs as ES256: r and s, 32 bytes each."""
    def sign(data):
        r, s = utils.decode_dss_signature(key.sign(data, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")
    return sign


def rs256(key):
    return lambda data: key.sign(data, padding.PKCS1v15(), hashes.SHA256())


def hs256(secret):
    return lambda data: hmac.digest(secret, data, hashlib.sha256)


def make(header, claims, sign):
    """`header` and `claims`: an object, or the text to be encoded as it is. `sign`: bytes → bytes."""
    signed = f"{encode(header)}.{encode(claims)}"
    return f"{signed}.{encode(sign(signed.encode()))}"


def claims_for(tenant, issuer, audience, **changes):
    """Claims of a good token; a change to None leaves one out."""
    now = int(time.time())
    claims = {"iss": issuer, "aud": audience, "sub": "test", "iat": now, "exp": now + 600, "tenant_id": tenant} | changes
    return {name: value for name, value in claims.items() if value is not None}


def ec_key_set(key, kid):
    public = key.public_key().public_numbers()
    return {"keys": [{"kty": "EC", "crv": "P-256", "x": encode(public.x.to_bytes(32, "big")), "y": encode(public.y.to_bytes(32, "big")),
                      "kid": kid, "alg": "ES256", "use": "sig"}]}


def rsa_key_set(key, kid):
    public = key.public_key().public_numbers()
    return {"keys": [{"kty": "RSA", "n": number(public.n), "e": number(public.e), "kid": kid, "alg": "RS256", "use": "sig"}]}


def public_pem(key):
    return key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def public_der(key):
    return key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
