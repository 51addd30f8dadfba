"""Which mutant breaks which law, and the test that must catch it. One line a mutant."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Seeded:
    """A fault, the law that it breaks, and the test (with a `-k` expression) that must fail."""

    name: str
    law: str
    test: str
    select: str = ""


OUTCOME, STOCK, ONCE = (f"tests/laws/test_{law}.py" for law in ("outcome", "stock", "once"))
ISOLATION = "tests/laws/test_isolation.py"
RECORDS = "tests/contract/test_records_suite.py"
PARITY = "tests/contract/test_records_parity.py"
TRIGGER = "tests/contract/test_trigger.py"
SEARCH = "tests/contract/test_search_suite.py"
MUTANTS = (
    Seeded("lost_reply_is_failure", "L1", OUTCOME, "postgres"),
    Seeded("lost_reply_is_failure", "L1", OUTCOME, "mongodb"),
    Seeded("lost_reply_is_failure", "L1", OUTCOME, "dynamodb"),
    Seeded("resent_as_another", "L1", OUTCOME, "mongodb"),
    Seeded("commit_lost_is_failure", "L1", "tests/faults/test_commit.py"),
    Seeded("no_when", "L15", STOCK, "postgres"),
    Seeded("no_when", "L15", STOCK, "mongodb"),
    Seeded("no_when", "L15", STOCK, "dynamodb"),
    Seeded("no_mark", "L16", ONCE, "postgres"),
    Seeded("no_mark", "L16", ONCE, "mongodb"),
    Seeded("no_mark", "L16", ONCE, "dynamodb"),
    Seeded("read_committed", "L21", ISOLATION),
    # No law of the list: promises of the records, whose checks are seen to fail all the same.
    Seeded("no_version_check", "-", PARITY, "does and postgres"),
    Seeded("no_version_check", "-", PARITY, "does and mongodb"),
    Seeded("no_version_check", "-", PARITY, "does and dynamodb"),
    Seeded("blind_put", "-", "tests/unit/repository"),
    Seeded("no_seen", "-", "tests/unit/repository"),
    Seeded("no_exclusion", "-", "tests/contract/test_schema_rights.py"),
    Seeded("upgrade_overwrites", "-", "tests/unit/patterns/test_upgrade.py"),
    Seeded("no_version_trigger", "-", TRIGGER),
    Seeded("no_append_only_trigger", "-", TRIGGER),
    Seeded("search_without_versions", "-", SEARCH, "postgres"),
    Seeded("search_without_versions", "-", SEARCH, "opensearch"),
)
