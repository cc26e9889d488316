"""From option values to `RunOptions`."""

from __future__ import annotations

from fractions import Fraction

import pytest

from reenact.cli.arguments import Arguments, VideoArguments, read_rate, read_time, run_options
from reenact.errors import ReenactError
from reenact.pipeline.options import RunOptions


@pytest.mark.parametrize("table", [Arguments, VideoArguments])
def test_nothing_given_is_the_default_run(table: type[Arguments]) -> None:
    assert run_options(table()) == RunOptions()


def test_every_option_arrives() -> None:
    options = run_options(
        VideoArguments(
            motion="absolute",
            strength=1.5,
            smooth=0,
            anchor="12",
            placement="frame",
            eyes=0.1,
            brows=0.2,
            lips=0.3,
            jaw=0.4,
            gaze=0.5,
            head=0.6,
            face="2",
            driving_face="largest",
            paste=False,
            size="512",
            compare=True,
            landmarks=True,
            label="AI",
            start="1:02.5",
            end="65",
            fps="29.97",
            quality=90,
            codec="av1",
            overwrite=True,
            keep_partial=True,
            mark=False,
            consent="the person shown",
            threads=2,
            device="cpu",
        )
    )
    motion, output, gains = options.motion, options.output, options.motion.gains
    assert (motion.mode, motion.strength, motion.smooth, motion.anchor) == ("absolute", 1.5, 0, 12)
    assert motion.placement == "frame"
    assert (gains.eyes, gains.brows, gains.lips, gains.jaw, gains.gaze, gains.head) == (
        0.1,
        0.2,
        0.3,
        0.4,
        0.5,
        0.6,
    )
    assert (options.source_face, options.driving_face) == (2, "largest")
    assert (output.paste, output.size, output.compare, output.landmarks, output.label) == (
        False,
        512,
        True,
        True,
        "AI",
    )
    assert (output.start, output.end, output.fps) == (Fraction("62.5"), Fraction(65), Fraction(30000, 1001))
    assert (output.quality, output.codec, output.overwrite, output.keep_partial) == (90, "av1", True, True)
    assert (output.mark, output.consent) == (False, "the person shown")
    assert (options.threads, options.device) == (2, "cpu")


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("25", Fraction(25)),
        ("29.97", Fraction(30000, 1001)),
        ("23.976", Fraction(24000, 1001)),
        ("59.94", Fraction(60000, 1001)),
        ("30000/1001", Fraction(30000, 1001)),
        ("30.00", Fraction(30)),
        ("12.5", Fraction(25, 2)),
    ],
)
def test_frame_rates_are_exact(text: str, rate: Fraction) -> None:
    assert read_rate(text) == rate


@pytest.mark.parametrize(("text", "seconds"), [("0", "0"), ("90.25", "90.25"), ("1:02:03.5", "3723.5")])
def test_times_are_exact(text: str, seconds: str) -> None:
    assert read_time(text, "--start") == Fraction(seconds)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"fps": "fast"}, "--fps: 'fast'"),
        ({"fps": "0"}, "--fps"),
        ({"fps": "1/0"}, "--fps"),
        ({"start": "soon"}, "--start: 'soon'"),
        ({"start": "-1"}, "--start"),
        ({"start": "1:2:3:4"}, "--start"),
        ({"start": "5", "end": "5"}, "--end 5 is not after --start 5"),
        ({"size": "big"}, "--size"),
        ({"size": "8"}, "smallest is 16"),
        ({"size": "99999"}, "largest is 32768"),
        ({"device": "cuda"}, "--device: 'cuda' cannot be used"),
        ({"label": "ja"}, "language 'ja'"),
        ({"label": "\U0001fbff\U000e0041"}, "no font"),
        ({"anchor": "first"}, "--anchor"),
        ({"anchor": "-1"}, "--anchor"),
        ({"face": "left"}, "--face"),
        ({"driving_face": "²"}, "--driving-face"),
        ({"placement": "left"}, "--placement"),
    ],
)
def test_values_that_say_nothing_are_refused_by_name(given: dict[str, str], message: str) -> None:
    with pytest.raises(ReenactError, match=message):
        run_options(VideoArguments(**given))
