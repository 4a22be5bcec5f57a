"""The shell of `rollcall sql`: statements over several lines, each ended by a semicolon, and a few commands."""

import os
import time
from logging import Logger
from pathlib import Path

from prompt_toolkit import PromptSession
from prompt_toolkit.application import get_app
from prompt_toolkit.filters import Condition
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.lexers import PygmentsLexer
from pygments.lexers.sql import SqlLexer

from jobs.queries import interrupts
from jobs.queries.completion import COMMANDS, SqlCompleter
from jobs.queries.functions import DESCRIBED
from jobs.queries.questions import Questions
from jobs.queries.statements import split
from jobs.run.errors import one_line
from pages import answers
from schemas.catalog import TABLES
from schemas.functions import FUNCTIONS
from schemas.views import VIEWS
from udfs import private


def run(questions: Questions) -> None:
    """Read and answer until the end of the input or `\\q`. A statement that fails says so in one line; an interrupt
    stops what runs, or throws away what is typed.
    """
    # One that comes between two statements finds nothing to stop, and must not end the shell.
    with interrupts.noted():
        _Shell(questions).run()


def history_file() -> Path:
    """Where what was typed is kept, for this user alone: it may name persons."""
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "rollcall" / "sql_history"


class _Shell:
    def __init__(self, questions: Questions) -> None:
        self._questions = questions
        self._log = questions.context.log
        self._timing = False

    def run(self) -> None:
        session = _prompt_session(self._log)
        self._log.info(f"{self._questions.context.tables.place}: end a statement with ;  \\? for help  \\q to end")
        while True:
            try:
                typed = session.prompt("rollcall> ").strip()
                if typed.rstrip("; ") == "\\q":
                    return
                self._do(typed)
            except KeyboardInterrupt:
                self._log.info("stopped")
            except EOFError:
                return

    def _do(self, typed: str) -> None:
        try:
            if typed.startswith("\\"):
                self._command(*typed.rstrip(";").split())
                return
            statements, rest = split(typed)
            for statement in [*statements, *([rest] if rest else [])]:
                self._ask(statement)
        except Exception as error:  # noqa: BLE001 - said in one line, and the shell goes on
            self._log.error(one_line(error))

    def _ask(self, statement: str) -> None:
        began = time.perf_counter()
        self._questions.ask(statement)
        if self._timing:
            self._log.info(f"{time.perf_counter() - began:.2f} s")

    def _command(self, name: str, *arguments: str) -> None:
        match name, *arguments:
            case ["\\d"]:
                rows = [(table, TABLES[table].row) for table in TABLES if self._questions.context.tables.exists(table)]
                answers.write("table", ["table", "a row is"], rows)
                answers.write("table", ["view", "a row is"], [(view.name, view.row) for view in VIEWS.values()])
                functions = [(function.signature, function.comment) for function in FUNCTIONS.values()]
                functions += [(said.partition(": ")[0], said.partition(": ")[2]) for said in DESCRIBED.values()]
                answers.write("table", ["function", "what it gives"], functions)
            case ["\\d", table] if table.lower() in TABLES:
                columns = [(column.name, column.type, column.comment) for column in TABLES[table.lower()].columns]
                answers.write("table", ["column", "type", "what it is"], columns)
            case ["\\d", view] if view.lower() in VIEWS:
                answers.write("table", ["column", "what it is"], list(VIEWS[view.lower()].columns.items()))
            case ["\\d", name]:
                self._log.error(f"there is no table or view {name}; \\d lists them")
            case ["\\timing"]:
                self._timing = not self._timing
                self._log.info(f"timing is {'on' if self._timing else 'off'}")
            case ["\\?"]:
                answers.write("table", ["command", "what it does"], list(COMMANDS.items()))
            case _:
                self._log.error(f"there is no command {' '.join([name, *arguments])}; \\? lists them")


def _history(log: Logger) -> History:
    """What was typed before, and is typed now."""
    try:
        path = history_file()
        private.make_folder(path.parent)
        path.touch(mode=0o600)
    except (OSError, RuntimeError) as error:  # a home that cannot be written, or none
        log.warning(f"what is typed here is not kept: {error}; XDG_STATE_HOME can name another folder for it")
        return InMemoryHistory()
    return FileHistory(str(path))


def _prompt_session(log: Logger) -> "PromptSession[str]":
    keys = KeyBindings()

    @keys.add("enter", filter=Condition(_is_whole))
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.validate_and_handle()

    return PromptSession(
        history=_history(log),
        completer=SqlCompleter(),
        complete_while_typing=False,
        lexer=PygmentsLexer(SqlLexer),
        multiline=True,
        prompt_continuation="     ...> ",
        key_bindings=keys,
    )


def _is_whole() -> bool:
    """Whether what is typed can be run: a command, or statements of which the last has its semicolon."""
    typed = get_app().current_buffer.text.strip()
    statements, rest = split(typed)
    return not typed or typed.startswith("\\") or (bool(statements) and not rest)
