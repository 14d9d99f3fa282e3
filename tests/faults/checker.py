"""The offline checker: is anything lost, extra, out of order, done twice or left standing?

Each rule looks at the evidence of a finished run and says what breaks it, in words. Rules trust nothing that
another rule checks. `findings` runs them all; an empty list is the only good answer. Which promise a rule
holds is named after it (I1 to I7 of the list of invariants); tests/faults/test_checker.py plants a fault for
each and sees it found.
"""

from collections.abc import Callable, Iterator

from tests.faults.checker_effects import RULES_OF_EFFECTS
from tests.faults.checker_record import RULES_OF_RECORD
from tests.faults.evidence import Evidence

FINDINGS_A_RULE_MAX = 20

Rule = Callable[[Evidence], Iterator[str]]
RULES: tuple[Rule, ...] = (*RULES_OF_RECORD, *RULES_OF_EFFECTS)


def findings(evidence: Evidence) -> list[str]:
    found: list[str] = []
    for rule in RULES:
        for number, finding in enumerate(rule(evidence)):
            if number == FINDINGS_A_RULE_MAX:
                found.append(f"{rule.__name__}: and more")
                break
            found.append(f"{rule.__name__}: {finding}")
    return found
