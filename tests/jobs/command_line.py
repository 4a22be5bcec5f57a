"""Commands in this process, as a person types them."""

import click
import pytest

from jobs.run.errors import run_command


def said(capsys: pytest.CaptureFixture[str], command: click.Command, *arguments: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as stopped:
        run_command(command, list(arguments))
    code = stopped.value.code
    assert isinstance(code, int)
    return code, capsys.readouterr().err
