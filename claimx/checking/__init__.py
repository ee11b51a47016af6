"""The linter of annotations: what is certainly wrong, and what deserves a second look."""

from claimx.checking.check import check_paths
from claimx.checking.findings import Finding, Report

__all__ = ["Finding", "Report", "check_paths"]
