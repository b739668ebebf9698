"""x"""
from typing import Any
def write_documents(results: dict[str, Any]) -> None:
    """x"""
