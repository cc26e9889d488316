"""GLG at work: trained networks as converter and generator of one source (figure 1 b)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from reenact.geometry.align import apply, crop_matrix, invert
from reenact.geometry.face_model import default_face_model
from reenact.geometry.warp import FaceWarp
from reenact.nn.draw import spline_heatmap
from reenact.nn.identity_net import chips, load_identity_net
from reenact.perception.action_units import GLG_UNITS, MOST, action_units
from reenact.perception.head_pose import head_pose
from reenact.systems.crop import FaceCrop, state_square
from reenact.systems.glg import generator, lgan, presets
from reenact.systems.glg.train import driving_input
from reenact.systems.spec import SourceFace, TargetShape
from reenact.systems.trained import open_trained, set_threads, to_picture, to_tensor
from reenact.types import FaceState, Image, Points

_PRESETS = {"lgan": presets.LGAN, "lgan_face": presets.LGAN_FACE, "lgan_shape": presets.LGAN_SHAPE}


class LganConverter:
    """The LGAN: the source's identity, and of the driving face its head pose and action units alone. Its place
    and size are the driving face's, which the paper's inputs leave open."""

    def __init__(self, source: SourceFace, network: lgan.Generator, settings: presets.LganSettings) -> None:
        self._network, self._side = network, settings.side
        self._identity = identity_of(source, network, settings)

    def convert(self, driving: TargetShape) -> TargetShape:
        """The target landmarks (68, 2) in the region's pixels."""
        pose, units = controls_of(driving.state)
        with torch.inference_mode():
            unit = self._network(self._identity, pose[None], units[None])
            made = lgan.to_pixels(unit, self._side)[0].numpy()
        matrix = crop_matrix(state_square(driving.state), self._side)
        return TargetShape(apply(invert(matrix), made).astype(np.float32), driving.state, "ibug68")


def controls_of(state: FaceState) -> tuple[Tensor, Tensor]:
    """Of a face: yaw, pitch and roll in degrees (3,), and intensities (18,) of the action units, against the
    same person at rest."""
    rest = replace(state, expression=np.zeros_like(state.expression))
    units = MOST * action_units(state, rest).vector(GLG_UNITS)
    return torch.tensor(head_pose(state.rotation)), torch.from_numpy(units.astype(np.float32))


def identity_of(source: SourceFace, network: lgan.Generator, settings: presets.LganSettings) -> Tensor:
    """What the network is told of who the source is: the number (1,) of the nearest person that it knows, or a
    vector (1, code)."""
    if settings.identity == "face":
        picture = to_tensor(np.ascontiguousarray(source.picture[..., :3]))
        with torch.inference_mode():
            return load_identity_net()(chips(picture, [source.points]))
    coefficients = torch.from_numpy(np.asarray(source.state.identity, np.float32))[None]
    return network.nearest(coefficients) if settings.identity == "known" else coefficients


class GlgGenerator:
    """Flow, parts and image generator, a target's heatmap a frame.

    differs from paper: a motion has no driving picture. Where the flow was trained on one, it sees in its place
    the source warped along the landmark model, which has the driving pose and expression and nothing of the
    person.
    """

    def __init__(
        self, source: SourceFace, network: generator.Generator, settings: presets.ImageSettings
    ) -> None:
        self._network, self._settings = network, settings
        self._crop = FaceCrop(source, settings.size)
        self._source = to_tensor(self._crop.picture)
        self._source_points = self._points(TargetShape(source.points, source.state))
        self._identity = source.state.identity
        self._warp: FaceWarp | None = None
        if settings.flow in ("vit", "resnet34") and settings.driving == "picture":
            state = self._inside(source.state)
            self._warp = FaceWarp(self._crop.picture, self._crop.inward(source.points), state)

    def render(self, target: TargetShape) -> Image:
        """The region (H, W, 3 or 4) with the face drawn at the target's landmarks."""
        points = self._points(target)
        with torch.inference_mode():
            heatmap = spline_heatmap(points, self._settings.size)
            driving = driving_input(self._driving(target), heatmap, self._settings)
            drawn = self._network(self._source, driving, heatmap, self._source_points, points)
        return self._crop.paste(to_picture(drawn))

    def _driving(self, target: TargetShape) -> Tensor:
        """The warped source (1, 3, S, S); the source itself where no picture is looked at."""
        if self._warp is None:
            return self._source
        state = self._inside(replace(target.state, identity=self._identity))
        return to_tensor(self._warp.render(default_face_model().project(state), state))

    def _points(self, face: TargetShape) -> Tensor:
        points: Points = self._crop.inward(face.in_scheme("ibug68")[:, :2])
        return torch.from_numpy(points)[None]

    def _inside(self, state: FaceState) -> FaceState:
        """A state of the region in pixels of the crop."""
        zoom, place = float(self._crop.matrix[0, 0]), self._crop.inward(state.translation[None])[0]
        return replace(state, scale=state.scale * zoom, translation=place)


def load_converter(stage: str, source: SourceFace) -> LganConverter:
    """The trained LGAN of a stage for a source."""
    network, settings = open_trained(f"glg_{stage}", _PRESETS[stage], lgan.Generator, "generator")
    return LganConverter(source, network, settings)


def load_generator(source: SourceFace, threads: int | None) -> GlgGenerator:
    """The trained image stage for a source."""
    network, settings = open_trained("glg_image", presets.IMAGE, generator.Generator, "generator")
    set_threads(threads)
    return GlgGenerator(source, network, settings)
