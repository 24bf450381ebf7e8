"""Tokens of the tenant register, as the sql door makes them (src/sql/register_token.h)."""
import ctypes
import hashlib
import hmac
import struct
import time
import uuid

TENANT_A = uuid.UUID("aaaaaaaa-0000-4000-8000-000000000001")
TENANT_B = uuid.UUID("bbbbbbbb-0000-4000-8000-000000000002")
# Both halves negative as bigint, and the extremes of the range.
TENANT_HIGH = uuid.UUID("ffffffff-ffff-ffff-ffff-ffffffffffff")
TENANT_LOW = uuid.UUID("80000000-0000-0000-8000-000000000000")


def token(key, tenant, pid, key_id=1, expires_in=60):
    message = struct.pack(">I16sqI", key_id, tenant.bytes, int(time.time()) + expires_in, pid)
    return message + hmac.new(key, message, hashlib.sha256).digest()


def enter(connection, key, tenant, **claims):
    """Writes the register of a psycopg connection."""
    claims.setdefault("pid", connection.info.backend_pid)
    connection.execute("SELECT partywall.enter(%b)", [token(key, tenant, **claims)])


class _Value(ctypes.Union):
    _fields_ = [("pointer", ctypes.c_void_p), ("integer", ctypes.c_int)]


class _Argument(ctypes.Structure):
    _fields_ = [("length", ctypes.c_int), ("is_integer", ctypes.c_int), ("value", _Value)]


def enter_by_function_call(connection, key, tenant):
    """The same by the FunctionCall message, as the door does it. Returns libpq's error text, "" if none."""
    libpq = ctypes.CDLL("libpq.so.5")
    libpq.PQfn.restype = ctypes.c_void_p
    libpq.PQfn.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int,
                           ctypes.c_void_p, ctypes.c_int]
    libpq.PQresultErrorMessage.restype = ctypes.c_char_p
    libpq.PQresultErrorMessage.argtypes = libpq.PQclear.argtypes = [ctypes.c_void_p]
    oid = connection.execute("SELECT pg_catalog.to_regprocedure('partywall.enter(bytea)')::oid::int8").fetchone()[0]
    data = ctypes.create_string_buffer(token(key, tenant, connection.info.backend_pid), 64)
    arguments = (_Argument * 1)(_Argument(64, 0, _Value(pointer=ctypes.addressof(data))))
    answer, length = ctypes.create_string_buffer(64), ctypes.c_int()
    result = libpq.PQfn(connection.pgconn.pgconn_ptr, oid, answer, ctypes.byref(length), 0,
                        ctypes.addressof(arguments), 1)
    error = libpq.PQresultErrorMessage(result).decode()
    libpq.PQclear(result)
    return error
