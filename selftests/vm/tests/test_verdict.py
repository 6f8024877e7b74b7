# SPDX-License-Identifier: GPL-2.0-only
"""From the guest's bytes to a verdict, without a VM."""

from __future__ import annotations

import unittest
from dataclasses import replace

from khobvm.case import Case, Generation, Outcome, Step
from khobvm.runner import Result
from khobvm.status import GenerationReport, Parser
from khobvm.verdict import Verdict, close_final_steps, judge

_ONE = Case("one", "", (Generation("6.12", (Step("first", "true"),)),))
_TWO = Case("two", "", (Generation("6.12", (Step("jump", "kexec -e", final=True),)),
                        Generation("6.1", (Step("look", "true"),))))
_HEAD = "KTAP version 1\n# khob-gen: 1 release=6.12.5-cloud tsc=123\n1..2\n"
_FIRST = "# khob-step: 1 first\n# | out\n# khob-time: 1 1500000\n"
_JUMP = "ok 1 kernel log\n# khob-step: 2 jump\n# khob-status: 1 kexec\n"
_SECOND = ("KTAP version 1\n# khob-gen: 2 release=6.1.0-9 tsc=456\n1..2\n# khob-step: 1 look\n"
           "ok 1 look\nok 2 kernel log\n# khob-status: 2 passed\n")


def _read(text: str) -> list[GenerationReport]:
    parser = Parser()
    # In small pieces: a line may come in two reads.
    data = text.encode()
    for start in range(0, len(data), 7):
        parser.feed(data[start:start + 7], now=float(start))
    parser.finish()
    return parser.generations


def _judge(case: Case, text: str) -> Verdict:
    reports = _read(text)
    close_final_steps(case, reports)
    return judge(case, reports, "the VM ended")


class ResultTest(unittest.TestCase):
    """What must not pass is good only for the reason that the case names."""

    def test_good(self) -> None:
        """The same outcome for another reason is none."""
        case = replace(_TWO, outcome=Outcome.NO_STATUS, why="nothing came from generation 2")
        for text, good in ((_HEAD + _JUMP, True), ("", False), (_HEAD, False),
                           (_HEAD + _JUMP + _SECOND, False)):
            result = Result(case, _judge(case, text), 1.0, [], [], "tcg", 0.0)
            self.assertIs(result.good, good, result.verdict.why)


class VerdictTest(unittest.TestCase):
    """Passed, failed and no status are three things."""

    def _is(self, outcome: Outcome, case: Case, text: str, why: str = "") -> None:
        verdict = _judge(case, text)
        self.assertIs(verdict.outcome, outcome, verdict.why)
        self.assertIn(why, verdict.why)

    def test_passed(self) -> None:
        """Every planned test ok, and the status word."""
        self._is(Outcome.PASSED, _ONE, _HEAD + _FIRST + "ok 1 first\nok 2 kernel log\n"
                                                        "# khob-status: 1 passed\n")
        self._is(Outcome.PASSED, _TWO, _HEAD + _JUMP + _SECOND)

    def test_step_report(self) -> None:
        """Output, problems, time and numbers belong to their step."""
        step = _read(_HEAD + _FIRST + "# exit code 3, expected 0\nnot ok 1 first\n")[0].steps[1]
        self.assertEqual(step.output, ["out"])
        self.assertEqual(step.problems, ["exit code 3, expected 0"])
        self.assertEqual((step.seconds, step.ok), (1.5, False))

    def test_output_is_no_report(self) -> None:
        """A command that prints KTAP or our own words proves nothing."""
        text = _HEAD + "# khob-step: 1 first\n# | ok 1 first\n# | # khob-status: 1 passed\n"
        self._is(Outcome.NO_STATUS, _ONE, text, "at 'first'")

    def test_failed(self) -> None:
        """The first step that failed is named with its reason."""
        self._is(Outcome.FAILED, _ONE,
                 _HEAD + _FIRST + "# exit code 3, expected 0\nnot ok 1 first\n"
                 "# khob-status: 1 failed\n", "first: exit code 3")

    def test_returned_kexec(self) -> None:
        """A kexec that came back overrides the status word that went before it."""
        self._is(Outcome.FAILED, _TWO,
                 _HEAD + _JUMP + "# returned with exit code 1\nnot ok 2 jump\n"
                 "# khob-status: 1 failed\n", "jump: returned")

    def test_no_status(self) -> None:
        """Silence is told apart, with the generation it came from."""
        self._is(Outcome.NO_STATUS, _ONE, "", "nothing came from generation 1")
        self._is(Outcome.NO_STATUS, _ONE, _HEAD + "# khob-step: 1 first\n", "generation 1")
        self._is(Outcome.NO_STATUS, _TWO, _HEAD + _JUMP, "nothing came from generation 2")

    def test_distrust(self) -> None:
        """passed is not believed with tests missing, the wrong kernel or plan, or no kexec."""
        passed = "# khob-status: 1 passed\n"
        self._is(Outcome.FAILED, _ONE, _HEAD + _FIRST + "ok 1 first\n" + passed, "1 of 2 ok")
        self._is(Outcome.FAILED, _ONE, _HEAD.replace("1..2", "1..9") + "ok 1 first\n" + passed,
                 "planned 9")
        self._is(Outcome.FAILED, _TWO,
                 _HEAD + _JUMP + _SECOND.replace("6.1.0", "6.12.0"), "not a 6.1 kernel")
        self._is(Outcome.FAILED, _TWO, _HEAD + "ok 1 kernel log\nok 2 jump\n" + passed,
                 "a kexec was due")
        self._is(Outcome.FAILED, _ONE, _HEAD + _JUMP + _SECOND, "generations came as [1, 2]")

    def test_garbage(self) -> None:
        """Bytes that are no report are kept, not raised."""
        parser = Parser()
        parser.feed(b"\xff\xfe\x00 hello\nnot ok x\n")
        self.assertEqual(parser.generations, [])
        self.assertEqual(len(parser.stray), 2)


if __name__ == "__main__":
    unittest.main()
