"""The uses of `stores.native` in the source of an application: found by reading, not by running."""

import ast
import inspect
from collections.abc import Iterable, Iterator
from types import ModuleType

from rightstore.stores.portability import Escape


def escapes(modules: Iterable[ModuleType]) -> Iterator[Escape]:
    """Yield each call of `….native(Client, why=…)` in these modules, where their source is."""
    for module in modules:
        try:
            tree = ast.parse(inspect.getsource(module))
        except (OSError, TypeError, SyntaxError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and _is_native(node):
                yield Escape(_client(node), _reason(node), f"{module.__name__}:{node.lineno}")


def _is_native(call: ast.Call) -> bool:
    is_method = isinstance(call.func, ast.Attribute) and call.func.attr == "native"
    return is_method and any(keyword.arg == "why" for keyword in call.keywords)


def _client(call: ast.Call) -> str:
    given = [*call.args, *(word.value for word in call.keywords if word.arg == "client")]
    return ast.unparse(given[0]) if given else "?"


def _reason(call: ast.Call) -> str:
    reason = next(word.value for word in call.keywords if word.arg == "why")
    return str(reason.value) if isinstance(reason, ast.Constant) else ast.unparse(reason)
