# SPDX-License-Identifier: GPL-2.0-only
"""The one exception that main() catches: what is wrong, and what to do."""


class VmError(Exception):
    """A problem of the host side, with a remedy for the user where there is one."""

    def __init__(self, problem: str, remedy: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.problem}\nhint: {self.remedy}" if self.remedy else self.problem
