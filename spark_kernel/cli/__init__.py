"""The spark-kernel command."""


def main() -> None: ...
