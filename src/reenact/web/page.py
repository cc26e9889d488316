"""The page's layout in Gradio, and which handler of the desk each control calls."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr
from fastapi import FastAPI

from reenact.errors import ReenactError
from reenact.geometry.expressions import EXPRESSIONS
from reenact.perception.action_units import GLG_UNITS, NAMES
from reenact.pipeline.options import DEFAULT_SYSTEM
from reenact.pipeline.pose import MOST_DEGREES
from reenact.web import fragments
from reenact.web.api import Server, all_systems
from reenact.web.desk import EXAMPLES, START, Desk, plain, write_examples
from reenact.web.settings import PoseSettings

_STATIC = Path(__file__).parent / "static"
_TITLE = (
    '<h1 class="re-title">reenact</h1><p class="re-hint">Animate a portrait with another face. Nothing leaves '
    "this server, and every result is marked as made with AI.</p>"
)
_MODES = [
    ("Relative to the anchor", "relative"),
    ("Absolute, as driven", "absolute"),
    ("Expression only", "expression"),
    ("Head only", "pose"),
]
_REGIONS = {
    "strength": "Expression",
    "eyes": "Eyelids",
    "brows": "Eyebrows",
    "lips": "Lips",
    "jaw": "Jaw, cheeks",
    "gaze": "Gaze",
    "head": "Head",
}
"""Settings that are gains, and their titles."""
_MOVES = {
    "smile": "Smile", "sad": "Mouth corners down", "jaw_open": "Mouth open", "lips_round": "Lips round",
    "blink": "Eyes shut", "wide_eyes": "Eyes wide", "brows_up": "Brows up", "frown": "Frown",
    "gaze_left": "Look to the right", "wink_left": "Wink (their left)", "wink_right": "Wink (their right)",
}  # fmt: skip
_BOTH_WAYS = ("smile", "gaze_left")
_PRESETS: dict[str, dict[str, float]] = {
    "Neutral": {},
    "Smile": {"smile": 1.0, "yaw": 8},
    "Surprise": {"brows_up": 1.2, "wide_eyes": 1.0, "jaw_open": 0.7},
    "Wink": {"wink_left": 1.0, "smile": 0.7, "roll": 6},
    "Look aside": {"yaw": 18, "gaze_left": 1.0},
}
_POSE_START = "Drop a portrait, or take the example; then move the sliders, or begin with a button on the left."
_LIVE = ("strength", "eyes", "brows", "lips", "jaw", "gaze", "head")
_HEAD = """
<link rel="stylesheet" href="/parts/page.css">
<script src="/parts/preview.js" defer></script>
<script src="/parts/webcam.js" defer></script>
"""


def mount(app: FastAPI, server: Server, cache: Path) -> None:
    """Put the page at the application's root. cache: the folder of Gradio's files."""
    keep = server.limits.keep
    blocks = build(server, cache / "examples", keep)
    font = ["system-ui", "sans-serif"]
    gr.mount_gradio_app(
        app,
        blocks,
        path="/",
        show_error=True,
        max_file_size=server.limits.upload_bytes,
        allowed_paths=[str(cache)],
        footer_links=[],
        theme=gr.themes.Default(font=font, font_mono=["ui-monospace", "monospace"]),
        head=_HEAD,
        ssr_mode=False,
        pwa=False,
        mcp_server=False,
        enable_monitoring=False,
    )


def build(server: Server, examples: Path, keep: float) -> gr.Blocks:
    """The page. examples: a folder to write the examples to. keep: seconds that uploads stay in the cache."""
    desk = Desk(server)
    found = write_examples(examples)
    age = max(int(keep), 1)
    with gr.Blocks(title="reenact", analytics_enabled=False, delete_cache=(min(age, 60), age)) as blocks:
        gr.HTML(_TITLE)
        held = gr.Textbox(visible="hidden", elem_id="held")
        with gr.Row():
            with gr.Column(scale=1, min_width=240):
                source = gr.File(label="Portrait", file_types=["image"], height=130, elem_id="source")
                astronaut = gr.Button("Example: NASA portrait", size="sm", elem_id="example-portrait")
                system = _system_choice()
                own = gr.HTML(elem_id="own")
            with gr.Column(scale=5, min_width=320), gr.Tabs():
                with gr.Tab("Animate"):
                    _animate_tab(desk, source, held, system, found)
                with gr.Tab("Pose") as pose:
                    _pose_tab(desk, source, held, system, pose)
                with gr.Tab("Webcam"):
                    _webcam_tab(held, system)
                with gr.Tab("Verify"):
                    _verify_tab(desk)
        source.change(desk.portrait, [source, held], [held, own], **_quiet("portrait"))
        astronaut.click(lambda: str(found[""]), None, source, **_quiet("example"))
    blocks.queue(default_concurrency_limit=8, max_size=100, api_open=False)
    return blocks


def _system_choice() -> gr.Dropdown:
    """The systems that are ready to choose from, and below them what each is and what the others lack."""
    systems = all_systems()
    choices = [one.name for one in systems if one.ready]
    system = gr.Dropdown(choices, value=DEFAULT_SYSTEM, label="System", elem_id="system")
    gr.HTML(fragments.systems(systems), elem_id="systems")
    return system


def _quiet(name: str, **more: Any) -> dict[str, Any]:
    """What every event of the page has in common: no public endpoint of Gradio's beside our API."""
    return {"api_visibility": "private", "concurrency_id": name, "concurrency_limit": 4, **more}


def _inputs(controls: Sequence[Any]) -> list[Any]:
    return [control.input for control in controls]


def _gains() -> dict[str, gr.Slider]:
    return {name: gr.Slider(0, 2, 1, step=0.05, label=title, elem_id=name) for name, title in _REGIONS.items()}


class _Drive(NamedTuple):
    """What is given to drive it. note: where it is told what is wrong with it."""

    given: gr.File
    record: gr.Video
    note: gr.HTML
    examples: list[gr.Button]


class _Stage(NamedTuple):
    """The pictures, what is looked at, and the run."""

    beside: gr.HTML
    face: gr.HTML
    position: gr.Slider
    landmarks: gr.Checkbox
    run: gr.Button
    stop: gr.Button
    progress: gr.HTML
    result: gr.HTML


class _Controls(NamedTuple):
    """Settings of the motion and of the output by the names of their options; `here` and `unset` set the
    anchor."""

    motion: dict[str, Any]
    output: dict[str, Any]
    here: gr.Button
    unset: gr.Button


def _drive_parts() -> _Drive:
    with gr.Tabs():
        with gr.Tab("File"):
            given = gr.File(
                label="Video, picture or motion",
                file_types=["video", "image", ".motion"],
                height=130,
                elem_id="driving",
            )
            with gr.Row():
                examples = [gr.Button(title, size="sm", min_width=80) for title in EXAMPLES]
        with gr.Tab("Record"):
            record = gr.Video(label="Webcam", sources=["webcam"], include_audio=True, height=220)
    return _Drive(given, record, gr.HTML(elem_id="driving-note"), examples)


def _stage_parts() -> _Stage:
    with gr.Row(elem_classes="re-pictures"):
        beside = gr.HTML(fragments.hint(START), elem_id="beside")
        face = gr.HTML(elem_id="face")
        gr.HTML('<div id="re-preview"></div>', elem_id="preview")
    with gr.Group():
        position = gr.Slider(
            0, 1, 0.15, step=0.005, label="Moment of the driving file (0 is its beginning)", elem_id="position"
        )
        landmarks = gr.Checkbox(False, label="Show the landmarks that were found", elem_id="landmarks")
    with gr.Row():
        run = gr.Button("Animate", variant="primary", elem_id="run")
        stop = gr.Button("Cancel", elem_id="cancel")
    return _Stage(
        beside, face, position, landmarks, run, stop, gr.HTML(elem_id="progress"), gr.HTML(elem_id="result")
    )


def _control_parts() -> _Controls:
    mode = gr.Dropdown(_MODES, value="relative", label="Motion")
    with gr.Accordion("Strength and regions", open=True):
        gains = _gains()
    with gr.Accordion("Time", open=False):
        smooth = gr.Slider(0, 3, 1, step=0.1, label="Smoothing", elem_id="smooth")
        anchor = gr.Number(
            None,
            label="Anchor frame",
            info="The driving frame that stands for the portrait as it is. Empty: found automatically.",
            precision=0,
            minimum=0,
            elem_id="anchor",
        )
        with gr.Row():
            here = gr.Button("The moment shown", size="sm", min_width=80, elem_id="anchor-here")
            unset = gr.Button("Automatic", size="sm", min_width=80, elem_id="anchor-auto")
    with gr.Accordion("Output", open=False):
        output = {
            "compare": gr.Checkbox(False, label="Side by side"),
            "format": gr.Radio(["mp4", "webm", "gif"], value="mp4", label="Kind of video"),
            "label": gr.Textbox(
                "", label="Visible label", placeholder="a text, or de, fr, ...", max_length=200
            ),
            "consent": gr.Textbox("", label="Consent, for the record", max_length=200),
        }
    return _Controls({"motion": mode, **gains, "smooth": smooth, "anchor": anchor}, output, here, unset)


def _animate_tab(
    desk: Desk, source: gr.File, held: gr.Textbox, system: gr.Dropdown, found: dict[str, Path]
) -> None:
    driving = gr.Textbox(visible="hidden", elem_id="driving-id")
    with gr.Row(elem_classes="re-desk"):
        with gr.Column(min_width=240, elem_classes="re-drive"):
            drive = _drive_parts()
        with gr.Column(min_width=320, elem_classes="re-stage"):
            stage = _stage_parts()
        with gr.Column(min_width=240, elem_classes="re-controls"):
            controls = _control_parts()
    for button, title in zip(drive.examples, EXAMPLES, strict=True):
        button.click(lambda path=str(found[title]): path, None, drive.given, **_quiet("example"))
    motion = {"system": system, **controls.motion}
    _follow_driving(desk, drive, driving)
    _show(desk, held, driving, stage, motion)
    _run(desk, [source, driving, drive.given, drive.record], {**motion, **controls.output}, stage)
    moment = {"show_progress": "hidden", "queue": False}
    anchor = motion["anchor"]
    controls.here.click(desk.moment, [driving, stage.position], anchor, **_quiet("moment", **moment))
    controls.unset.click(lambda: None, None, anchor, **_quiet("moment", **moment))


def _follow_driving(desk: Desk, drive: _Drive, driving: gr.Textbox) -> None:
    """Whenever another file drives it: the motion held so far goes, the new one is followed and held."""

    def follow(path: str | None, tell: gr.Progress = gr.Progress()) -> tuple[str, str]:  # noqa: B008
        return desk.driving(path, lambda stage, done, total: tell((done, total), desc="Following the face"))

    for file in (drive.given, drive.record):
        file.change(desk.forget_motion, driving, driving, show_progress="hidden", **_quiet("forget")).then(
            follow, file, [driving, drive.note], show_progress_on=file, **_quiet("driving")
        )


def _show(desk: Desk, held: gr.Textbox, driving: gr.Textbox, stage: _Stage, motion: dict[str, Any]) -> None:
    """Pictures at once: the preview and the two faces it comes from. The newest position of a slider counts.
    Previews do not pass through Gradio's queue: its way there and back takes longer than the picture."""
    anchor = motion["anchor"]
    moved = [control.input for control in (stage.position, *motion.values()) if control is not anchor]
    gr.on(
        [*moved, anchor.change, held.change, driving.change],
        None,
        [held, driving, stage.position, *motion.values()],
        None,
        js="(held, driving, position, ...values) => "
        f"window.reenactPreview.animate(held, driving, position, {json.dumps(list(motion))}, values)",
        api_visibility="private",
    )
    moment = [driving, stage.position, stage.landmarks]
    always: dict[str, Any] = {"show_progress": "hidden", "trigger_mode": "always_last"}
    always |= _quiet("beside", queue=False)
    gr.on([stage.landmarks.input, held.change], desk.beside, [held, stage.landmarks], stage.beside, **always)
    faced = [stage.position.input, stage.landmarks.input, driving.change]
    gr.on(faced, desk.face, moment, stage.face, **always)


def _run(desk: Desk, files: Sequence[Any], settings: dict[str, Any], stage: _Stage) -> None:
    """The job: started, followed, cancelled, and found again when the page is reloaded."""
    job = gr.BrowserState("", storage_key="reenact-job")

    async def start(
        source: str | None, driving: str, given: str | None, record: str | None, *values: Any
    ) -> AsyncIterator[tuple[str, str, str]]:
        try:
            job = desk.start(source, driving, given or record, _settings(list(settings), values))
        except ReenactError as error:
            yield "", fragments.problem(plain(error)), ""
            return
        async for told, shown in desk.follow(job.id):
            yield job.id, told, shown

    async def resume(name: str) -> AsyncIterator[tuple[str, str]]:
        async for found in desk.follow(name or ""):
            yield found

    always = {"show_progress": "hidden", **_quiet("run", concurrency_limit=None)}
    stage.run.click(start, [*files, *settings.values()], [job, stage.progress, stage.result], **always)
    stage.stop.click(desk.cancel, job, None, **_quiet("cancel"))
    gr.on(None, resume, job, [stage.progress, stage.result], **always)


def _settings(names: Sequence[str], values: Sequence[Any]) -> dict[str, Any]:
    found = dict(zip(names, values, strict=True))
    found["anchor"] = "auto" if found.get("anchor") is None else int(found["anchor"])
    return {name: value for name, value in found.items() if value is not None}


def _pose_tab(desk: Desk, source: gr.File, held: gr.Textbox, system: gr.Dropdown, tab: gr.Tab) -> None:
    job = gr.State("")
    with gr.Row(elem_classes="re-desk"):
        with gr.Column(min_width=240, elem_classes="re-drive"), gr.Row():
            presets = [gr.Button(title, size="sm", min_width=80) for title in _PRESETS]
        with gr.Column(min_width=320, elem_classes="re-stage"):
            with gr.Row(elem_classes="re-pictures"):
                hint = fragments.hint(_POSE_START)
                gr.HTML(f'<div id="re-pose-preview">{hint}</div>', elem_id="pose-preview")
            with gr.Row():
                run = gr.Button("Make the picture", variant="primary", elem_id="pose-run")
                stop = gr.Button("Cancel")
            progress = gr.HTML(elem_id="pose-progress")
            result = gr.HTML(elem_id="pose-result")
        with gr.Column(min_width=240, elem_classes="re-controls"):
            with gr.Accordion("Head", open=True):
                angles = {
                    "yaw": _angle("Turn (right)", "yaw"),
                    "pitch": _angle("Nod (up)", "pitch"),
                    "roll": _angle("Tilt (clockwise)", "roll"),
                }
            with gr.Accordion("Expression", open=True):
                moves = {
                    name: gr.Slider(
                        -1 if name in _BOTH_WAYS else 0, 1.2, 0, step=0.05, label=title, elem_id=name
                    )
                    for name, title in _MOVES.items()
                    if name in EXPRESSIONS
                }
            with gr.Accordion("Action units (0 to 5)", open=False):
                units = {
                    unit: gr.Slider(0, 5, 0, step=0.1, label=f"AU{unit} {NAMES[unit]}", elem_id=f"au{unit}")
                    for unit in GLG_UNITS
                }
    sliders = [*angles.values(), *moves.values(), *units.values()]

    names = [("angle", name) for name in angles]
    names += [("expressions", name) for name in moves] + [("units", str(unit)) for unit in units]

    def pose_of(values: Sequence[float]) -> PoseSettings:
        asked: dict[str, Any] = {"expressions": {}, "units": {}}
        for (kind, name), value in zip(names, values, strict=True):
            (asked if kind == "angle" else asked[kind])[name] = value
        return PoseSettings.model_validate(asked)

    async def start(source: str | None, system: str, *values: float) -> AsyncIterator[tuple[str, str, str]]:
        try:
            job = desk.start(source, "", None, {"kind": "pose", "system": system, "pose": pose_of(values)})
        except ReenactError as error:
            yield "", fragments.problem(plain(error)), ""
            return
        async for told, shown in desk.follow(job.id):
            yield job.id, told, shown

    def preset(title: str) -> list[float]:
        wanted = _PRESETS[title]
        return [wanted.get(name, 0.0) for name in (*angles, *moves)] + [0.0] * len(units)

    show = {
        "fn": None,
        "inputs": [held, system, *sliders],
        "outputs": None,
        "js": "(held, system, ...values) => "
        f"window.reenactPreview.pose(held, system, {json.dumps(names)}, values)",
        "api_visibility": "private",
    }
    # What is in a tab is made when it is first opened.
    gr.on([*_inputs([*sliders, system]), held.change, tab.select], **show)
    for button, title in zip(presets, _PRESETS, strict=True):
        chosen = button.click(
            lambda title=title: preset(title),
            None,
            sliders,
            show_progress="hidden",
            **_quiet("preset", queue=False),
        )
        chosen.then(**show)
    outputs = [job, progress, result]
    run.click(
        start,
        [source, system, *sliders],
        outputs,
        show_progress="hidden",
        **_quiet("run", concurrency_limit=None),
    )
    stop.click(desk.cancel, job, None, **_quiet("cancel"))


def _angle(title: str, name: str) -> gr.Slider:
    return gr.Slider(-MOST_DEGREES, MOST_DEGREES, 0, step=1, label=title, elem_id=name)


def _webcam_tab(held: gr.Textbox, system: gr.Dropdown) -> None:
    with gr.Row():
        with gr.Column(scale=5, min_width=320):
            gr.HTML((_STATIC / "webcam.html").read_text(encoding="utf-8"), elem_id="webcam")
        with gr.Column(scale=2, min_width=240):
            mode = gr.Dropdown(_MODES, value="relative", label="Motion")
            sliders = {
                name: gr.Slider(0, 2, 1, step=0.05, label=_REGIONS[name], elem_id=f"live-{name}")
                for name in _LIVE
            }
            smooth = gr.Slider(0, 3, 1, step=0.1, label="Smoothing")
    controls: dict[str, Any] = {"motion": mode, **sliders, "smooth": smooth}
    # These run in the browser alone: the settings go over the stream's own socket.
    for name, control in {**controls, "system": system}.items():
        control.change(
            None,
            control,
            None,
            js=f"(value) => window.reenactLive.set('{name}', value)",
            api_visibility="private",
        )
    held.change(None, held, None, js="(id) => window.reenactLive.portrait(id)", api_visibility="private")


def _verify_tab(desk: Desk) -> None:
    file = gr.File(label="A picture or video", height=130, elem_id="verify-file")
    shown = gr.HTML(elem_id="verify-result")
    file.change(desk.verify, file, shown, **_quiet("verify"))
