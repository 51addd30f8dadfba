"""What makes a declaration wrong, one rule a function; each error names entity, field and remedy.

Rules about a type that is not defined yet wait: `judge` says whether all could be judged.
"""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from rightstore.errors import InvalidQueryError, UsageError
from rightstore.model.annotation import NotYetError
from rightstore.model.declaration import STORES, Declaration
from rightstore.model.kind import KEYED
from rightstore.model.member import members_of, undefined
from rightstore.model.path import FieldPath
from rightstore.model.place import Place

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,47}")
_BRACES = re.compile(r"\{([^{}]*)\}")


def wrong(declaration: Declaration, complaint: str, *, field: str = "") -> UsageError:
    """Return the error: who, what, remedy."""
    who = declaration.entity.__name__ + (f".{field}" if field else "")
    return UsageError(f"{who}: {complaint}.")


def judge(declaration: Declaration) -> bool:
    """Raise what is wrong; return whether every type was known, so that nothing is left open."""
    try:
        judge_all(declaration)
    except NotYetError:
        return False
    return True


def judge_now(declaration: Declaration) -> None:
    """Raise what is wrong, an undefined type included: for the first use."""
    try:
        judge_all(declaration)
    except NotYetError as error:
        raise undefined(error) from None


def judge_all(declaration: Declaration) -> None:
    """Apply every rule; NotYetError when a type that it needs is not defined yet."""
    for rule in _PLAIN_RULES:
        rule(declaration)
    for name in _clashes(declaration.entity, declaration.rename, set()):
        raise wrong(declaration, f"two fields are stored as {name!r}; give one a stored_as")
    for rule in _TYPED_RULES:
        rule(declaration)


def _clashes(part: type[Any], rename: str | None, seen: set[type[Any]]) -> Iterator[str]:
    """Yield each stored name that two fields of one part (or of the entity) share."""
    seen.add(part)
    taken: set[str] = set()
    for member in members_of(part).values():
        name = member.stored(rename)
        if name in taken:
            yield name
        taken.add(name)
        kind = member.kind_if_known()
        while kind.item:
            kind = kind.item
        if kind.tag == "part" and kind.python not in seen:
            yield from _clashes(kind.python, rename, seen)


# ---- rules that need no types --------------------------------------------------------------------


def _names(d: Declaration) -> None:
    names: tuple[tuple[str, object], ...] = (("name", d.name), ("group", d.group))
    for what, name in names:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise wrong(d, f"{what}={name!r} is no name for every store; {_NAMING}")
    if d.home not in STORES:
        raise wrong(d, f"home={d.home!r} is no store of records; take one of {', '.join(STORES)}")
    if d.rename not in {None, "camel"}:
        raise wrong(d, f"rename={d.rename!r} is not known; take 'camel' or leave it out")
    if type(d.schema) is not int or d.schema < 1:
        raise wrong(d, f"schema={d.schema!r} must be an int from 1 on")
    for flag in ("log", "append_only", "frozen"):
        if type(getattr(d, flag)) is not bool:
            raise wrong(d, f"{flag} must be True or False")


_NAMING = "take letters, digits and '_', a letter first, 48 at most"


def _key(d: Declaration) -> None:
    if not d.key:
        raise wrong(d, "key=() names no field; name at least one")
    _check_fields(d, "key", d.key)


def _shard(d: Declaration) -> None:
    _check_fields(d, "shard", d.shard)


def _check_fields(d: Declaration, wish: str, names: tuple[str, ...]) -> None:
    declared = members_of(d.entity)
    for name in names:
        if name not in declared:
            raise wrong(d, f"{wish} names a field that it does not have; {_known(d)}", field=name)
    if len(set(names)) < len(names):
        raise wrong(d, f"{wish} names a field twice; name it once")


def _known(d: Declaration) -> str:
    return f"it has {', '.join(members_of(d.entity)) or 'none'}"


def _log(d: Declaration) -> None:
    for wish in ("cache", "search"):
        if not d.log and getattr(d, wish):
            raise wrong(d, f"{wish} follows the log, and log=False; drop one of them")


def _append_only(d: Declaration) -> None:
    if d.append_only and d.is_job:
        raise wrong(d, "a job changes while it is worked on; drop append_only")
    if d.append_only and d.cache and d.cache.write_through:
        raise wrong(d, "append_only records never change; drop Cache(write_through=True)")


def _cache(d: Declaration) -> None:
    if d.cache is None:
        return
    times: tuple[object, ...] = (d.cache.ttl, d.cache.near)
    if not all(isinstance(each, int | float) for each in times):
        raise wrong(d, "Cache takes seconds: write ttl=60, near=5")
    if not d.cache.ttl > 0:
        raise wrong(d, "Cache(ttl=…) must be more than 0 seconds")
    if not 0 <= d.cache.near <= d.cache.ttl:
        raise wrong(d, "Cache(near=…) must be from 0 to ttl seconds")
    if d.cache.key is not None:
        _check_template(d, "Cache(key=…)", d.cache.key)


def _layout(d: Declaration) -> None:
    for store, template in d.layout.items():
        if store != "dynamodb":
            raise wrong(d, f"layout for {store!r} means nothing; only dynamodb has layouts")
        if not 1 <= len(template.split(" ")) <= 2 or not all(template.split(" ")):
            raise wrong(d, "layout has one or two words: partition key and sort key")
        _check_template(d, "layout", template)


def _check_template(d: Declaration, wish: str, template: str) -> None:
    """A template must tell two keys apart, and be known from the key alone."""
    named = _BRACES.findall(template)
    for name in named:
        if name not in d.key:
            raise wrong(d, f"{wish} may name key fields only: {', '.join(d.key)}", field=name)
    for name in d.key:
        if name not in named:
            raise wrong(d, f"{wish} lacks a field of the key; add {{{name}}}", field=name)
    if "{" in _BRACES.sub("", template) or "}" in _BRACES.sub("", template):
        raise wrong(d, f"{wish} has a brace without its partner; write {{field}}")


# ---- rules about places --------------------------------------------------------------------------


def _place(d: Declaration, wish: str, path: Any) -> Place:
    try:
        if not isinstance(path, str):
            raise wrong(d, f"{wish} takes names of fields as str; write the name")
        return d.place(path)
    except InvalidQueryError as error:
        raise wrong(
            d, f"{wish} names a field that it does not have ({error})", field=path
        ) from None


def _key_kinds(d: Declaration) -> None:
    for name in d.key:
        kind = d.fields[name].kind
        if kind.tag not in KEYED or kind.optional or kind.options:
            raise wrong(d, f"a key is a str, int or UUID, not {kind}; take another", field=name)


def _shard_kinds(d: Declaration) -> None:
    for name in d.shard:
        kind = d.fields[name].kind
        if not kind.is_scalar or kind.optional:
            raise wrong(d, f"shard needs a value that is always there, not {kind}", field=name)


def _indexes(d: Declaration) -> None:
    seen: list[object] = []
    for index in d.indexes:
        if not hasattr(index, "columns"):
            raise wrong(d, "indexes takes Index(…) values; write Index('field')")
        _index(d, index)
        if index in seen:
            raise wrong(d, f"the index on {', '.join(index.fields)} is declared twice; drop one")
        seen.append(index)


def _index(d: Declaration, index: Any) -> None:
    if not index.fields:
        raise wrong(d, "Index() names no field; name at least one")
    kinds = {path: _place(d, "Index", path).kind for path, _ in index.columns}
    if len(kinds) < len(index.fields):
        raise wrong(d, "an Index names a field twice; name it once")
    for path, kind in kinds.items():
        if kind.tag in {"part", "dict"}:
            raise wrong(d, f"an Index needs single values, not {kind}; index inside", field=path)
        if index.unique and not kind.is_scalar:
            raise wrong(d, f"a unique Index needs single values, not {kind}", field=path)
        if index.text and kind.tag != "str":
            raise wrong(d, f"Index(text=True) is for text, not {kind}", field=path)
    if index.text and (index.unique or any(down for _, down in index.columns)):
        raise wrong(d, "Index(text=True) is neither unique nor descending; drop that")
    _where(d, "Index", index.where)


def _where(d: Declaration, wish: str, where: Any) -> None:
    """Equalities only, of values that the field can have: the class does not exist yet to ask."""
    for path, value in (where or {}).items():
        place = _place(d, f"{wish}(where=…)", path)
        try:
            _ = FieldPath[Any](place) == value
        except InvalidQueryError:
            kind = place.kind
            raise wrong(d, f"{wish}(where=…) compares it with no {kind}", field=path) from None


# What fits the seconds of a TTL index.
_LONGEST = timedelta(seconds=2**31)


def _retain(d: Declaration) -> None:
    if d.retain is None:
        return
    kind = _place(d, "Retain", d.retain.since).kind
    if kind.tag != "datetime":
        raise wrong(d, f"Retain counts from a datetime, not {kind}", field=d.retain.since)
    age: object = d.retain.age
    if not isinstance(age, timedelta) or not timedelta(0) <= age < _LONGEST:
        raise wrong(d, "Retain(age=…) must be a timedelta of 0 to 68 years", field=d.retain.since)
    if d.log and not d.is_key_generated:
        raise wrong(
            d,
            "a record that expires leaves no trace, so its key must never come again: generate "
            "it with field(default_factory=new_id), or set log=False",
            field=d.key[0],
        )
    _where(d, "Retain", d.retain.where)


def _search(d: Declaration) -> None:
    if d.search is None:
        return
    if not d.search.fields:
        raise wrong(d, "Search() names no field; name at least one")
    for spec in d.search.fields:
        path, _, weight = spec.partition("^")
        kind = _place(d, "Search", path).kind
        if (kind.of if kind.tag == "list" else kind).tag != "str":
            raise wrong(d, f"Search is over text, not {kind}", field=path)
        if "^" in spec and not (weight.isdecimal() and 1 <= int(weight) <= 100):
            raise wrong(d, "a weight is a whole number from 1 to 100, as in 'name^3'", field=path)
    for path in d.search.facets:
        kind = _place(d, "Search(facets=…)", path).kind
        if not (kind.of if kind.tag == "list" else kind).is_scalar:
            raise wrong(d, f"a facet counts single values, not {kind}", field=path)


def _personal(d: Declaration) -> None:
    wish = d.personal
    if wish is None:
        return
    if _place(d, "Personal", wish.subject).kind.tag not in KEYED:
        raise wrong(d, "the subject is a key: a str, int or UUID", field=wish.subject)
    if wish.erase not in {"delete", "pseudonymise"}:
        raise wrong(d, f"erase={wish.erase!r} is not known; take 'delete' or 'pseudonymise'")
    for path in wish.fields:
        _place(d, "Personal", path)
        if path == wish.subject or path in d.key:
            raise wrong(d, "a key or the subject itself stays readable; drop it", field=path)
    for path in wish.lookup:
        if path not in wish.fields or _place(d, "Personal", path).kind.tag != "str":
            raise wrong(d, "lookup takes text fields that are in fields too", field=path)


_PLAIN_RULES: tuple[Callable[[Declaration], None], ...] = (
    _names, _key, _shard, _log, _append_only, _cache, _layout,
)  # fmt: skip
_TYPED_RULES: tuple[Callable[[Declaration], None], ...] = (
    _key_kinds, _shard_kinds, _indexes, _retain, _search, _personal,
)  # fmt: skip
