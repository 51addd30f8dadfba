"""Bytes from values and values from bytes, exactly, behind a version tag. It knows no store."""

from rightstore.codec.error import decode_error, encode_error
from rightstore.codec.value import canonical, decode, encode

__all__ = ["canonical", "decode", "decode_error", "encode", "encode_error"]
