"""What `image` and `video` share: pairs, one run each, the lines at the end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reenact.cli import batch, console, failures
from reenact.cli.arguments import Arguments, run_options
from reenact.errors import ReenactError

if TYPE_CHECKING:
    from reenact.pipeline.options import RunOptions
    from reenact.pipeline.progress import Progress
    from reenact.types import Summary

Run = Callable[[Sequence[Path], Path, Path, "RunOptions", "Progress | None"], "Summary"]
"""(sources, driving, output, options, progress) -> Summary: `animate_image` or `animate_video`."""


def animate(
    files: Sequence[Path], given: Arguments, run: Callable[[], Run], *, video: bool, suffix: str
) -> int:
    """Run every pair of one command line and return the exit code.

    run: gives the function to call, imported only when the command line has been read. suffix: ending of the
    names that `--out-dir` gets.
    """
    from reenact.systems import find_system

    try:
        options = run_options(given)
        find_system(options.system)
        found = batch.inputs(files, given.source or [], given.driving or [], video=video)
        todo = batch.pairs(found, given.output, given.out_dir, suffix, same_person=given.same_person)
        if video:
            _check_codec(todo[0].output, options)
        if given.out_dir is not None:
            batch.make_out_dir(given.out_dir)
        if not given.mark:
            failures.say(console.LAW, "note")
        if given.out_dir is None:
            return _one(todo[0], given, options, run())
    except ReenactError as error:
        if given.json:
            console.show_json({"error": str(error)})
        raise
    return _several(todo, given, options, run())


def _check_codec(output: Path, options: RunOptions) -> None:
    """Of the first output, as all of them have its ending."""
    from reenact.media.encoders import check_codec

    check_codec(output, options.output.codec)


def _one(pair: batch.Pair, given: Arguments, options: RunOptions, run: Run) -> int:
    summary = _run(pair, given, options, run, "")
    if given.json:
        console.show_json(console.summary_as_json(summary))
    else:
        _say_done(summary, given.quiet)
    return failures.INTERRUPTED if _was_interrupted(summary) else 0


def _several(todo: list[batch.Pair], given: Arguments, options: RunOptions, run: Run) -> int:
    rows: list[dict[str, Any]] = []
    for number, pair in enumerate(todo, 1):
        row: dict[str, Any] = {"source": str(pair.source), "driving": str(pair.driving)}
        try:
            summary = _run(pair, given, options, run, f"[{number}/{len(todo)}] {pair.name}")
        except Exception as exception:
            message, _ = failures.line_of(exception)
            failures.say(f"{pair.name}: {message}")
            rows.append({**row, "output": str(pair.output), "error": message})
        else:
            rows.append({**row, **console.summary_as_json(summary)})
            if not given.json:
                _say_done(summary, given.quiet)
            if _was_interrupted(summary):
                return _say_all(rows, given) or failures.INTERRUPTED
    return _say_all(rows, given)


def _run(pair: batch.Pair, given: Arguments, options: RunOptions, run: Run, title: str) -> Summary:
    with console.Bar(show=not (given.quiet or given.json), title=title) as bar:
        return run([pair.source, *pair.others], pair.driving, pair.output, options, bar)


def _was_interrupted(summary: Summary) -> bool:
    """Whether the run was stopped by Ctrl-C and kept what was done; those after it are not begun then."""
    return not summary.complete


def _say_done(summary: Summary, quiet: bool) -> None:
    if quiet:
        return
    for note in summary.notes:
        failures.say(note, "note")
    print(console.summary_line(summary))


def _say_all(rows: list[dict[str, Any]], given: Arguments) -> int:
    failed = [row for row in rows if "error" in row]
    if given.json:
        console.show_json({"done": len(rows) - len(failed), "failed": len(failed), "results": rows})
    elif not given.quiet:
        print(f"{len(rows) - len(failed)} of {len(rows)} done in {console.shown(given.out_dir or '.')}")
    if failed:
        names = ", ".join(Path(row["output"]).name for row in failed)
        failures.say(f"{len(failed)} of {len(rows)} failed: {names}")
    return failures.BAD_INPUT if failed else 0
