"""The HTTP edge: one ASGI program around any number of applications."""

from rightstore.web.application import Application as Application

__all__ = ["Application"]
