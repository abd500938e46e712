"""Write docs/checks.md from the rules' own docstrings: ``python docs/write_checks.py``.

The docstring of a rule is its documentation; this only collects them, and a test
compares the page with the rules.
"""

from __future__ import annotations

from pathlib import Path

from gtloc_forensics.checks import Check, Registry
from gtloc_forensics.checks.plugins import built_in_modules

HEAD = """# The checks

One section per rule, collected from the rules themselves by `python docs/write_checks.py`.

Every rule ends with one of five outcomes: *consistent*, *explained* (a disagreement whose innocent cause is known and
named), *suspicious*, *contradiction*, *not testable*. How bad a finding is if true (severity) and how sure the rule is
(confidence) are told apart. A disagreement is not a forgery: clocks run wrong, zones are forgotten, programs rewrite
files. Findings that share one cause are grouped under it.

| family | compares |
|---|---|
| GF1xx | the claim with itself |
| GF2xx | the claim with the sun |
| GF3xx | the claim with what a model sees in the pixels |
| GF4xx | the claim with those of other photos |
"""


def section(rule: Check) -> str:
    """Return one rule as Markdown."""
    body = rule.explanation.split("\n", 1)[1].strip() if "\n" in rule.explanation else ""
    needs = ", ".join(rule.needs) or "nothing in particular"
    head = f"## {rule.check_id} — {rule.title}\n\nLooks at {rule.scope.value}; needs: {needs}. Version {rule.version}."
    return f"{head}\n\n{body}\n"


def page() -> str:
    """Return the whole page."""
    return "\n".join([HEAD, *(section(rule) for rule in Registry(built_in_modules()))])


if __name__ == "__main__":
    Path(__file__).with_name("checks.md").write_text(page(), encoding="utf-8")
