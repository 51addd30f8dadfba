"""A proxy before the server of a URL, and the URL that leads there. It opens neither."""

from urllib.parse import parse_qsl, urlencode, urlsplit

from rightstore.testing.proxy import HOST, Proxy


def before(url: str) -> Proxy:
    """Return a proxy, not yet open, to the server that a store's URL names."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    if parts.scheme == "unix":
        return Proxy(parts.path)
    if "host" in query:
        return Proxy(f"{query['host']}/.s.PGSQL.{query.get('port', 5432)}")
    return Proxy(parts.hostname or "", parts.port or 0)


def by_way_of(proxy: Proxy, url: str) -> str:
    """Return the URL of an open proxy, for the user and the database of the server's own URL."""
    parts = urlsplit(url)
    query = {name: value for name, value in parse_qsl(parts.query) if name not in ("host", "port")}
    if parts.scheme == "mongodb":
        query["directConnection"] = "true"  # or the driver goes where the server says it is
    path = "" if parts.scheme == "unix" else parts.path
    scheme = "redis" if parts.scheme == "unix" else parts.scheme
    userinfo, at, _ = parts.netloc.rpartition("@")
    return f"{scheme}://{userinfo}{at}{HOST}:{proxy.port}{path}?{urlencode(query)}"
