"""The command line: one file a verb, loaded when its verb is used, so that help shows at once."""

import sys
from importlib import import_module

import click

from twotower.errors import InputTypeError, InvalidInputError, TwoTowerError

VERBS = {
    "demo": "twotower.cli.demo:demo",
    "pretrain": "twotower.cli.pretrain:pretrain",
    "train": "twotower.cli.train:train",
    "index": "twotower.cli.index:index",
    "search": "twotower.cli.search:search",
    "evaluate": "twotower.cli.evaluate:evaluate",
    "compare": "twotower.cli.compare:compare",
    "traps": "twotower.cli.traps:traps",
    "vocabulary": "twotower.cli.vocabulary:vocabulary",
    "report": "twotower.cli.report:report",
    "audit": "twotower.cli.audit:audit",
    "doctor": "twotower.cli.doctor:doctor",
}
FAILED, WRONG_USE = 1, 2


class Verbs(click.Group):
    """A group whose verbs come from `VERBS`, imported on use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the verbs."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of a verb, or None for an unknown one."""
        if cmd_name not in VERBS:
            return None
        module, _, attribute = VERBS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="twotower")
def verbs() -> None:
    """Learned search: BM25, two-tower training, dense retrieval, fusion, honest evaluation.

    Start with `twotower demo`: it learns to search the Python documentation of this machine.
    """


def main(args: list[str] | None = None) -> None:
    """Run the command line; exit with 0, 1 (failed) or 2 (wrong use)."""
    try:
        verbs.main(args=args, prog_name="twotower", standalone_mode=False)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.ClickException as error:  # click's own errors are all of wrong use
        error.show()
        sys.exit(WRONG_USE)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        sys.exit(FAILED)
    except BrokenPipeError:  # the reader of our output went away: `twotower search ... | head -1`
        sys.stderr.close()
        sys.exit(FAILED)
    except (InvalidInputError, InputTypeError) as error:
        click.echo(f"twotower: {error}", err=True)
        sys.exit(WRONG_USE)
    except (TwoTowerError, OSError) as error:
        click.echo(f"twotower: {error}", err=True)
        sys.exit(FAILED)
