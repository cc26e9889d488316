"""Metrics, one file each: functions on plain arrays, with shapes, units and the paper each comes from."""

from reenact.evaluation.metrics.ace import ace
from reenact.evaluation.metrics.action_units import au_correlation, aucon
from reenact.evaluation.metrics.akd import akd
from reenact.evaluation.metrics.expression import expression_error
from reenact.evaluation.metrics.frechet import frechet_distance, inception_features
from reenact.evaluation.metrics.head_pose import angle_errors, angles, pose_mae, prmse
from reenact.evaluation.metrics.identity import csim, verification_accuracy
from reenact.evaluation.metrics.jitter import jitter, wander
from reenact.evaluation.metrics.l1 import l1
from reenact.evaluation.metrics.lpips import lpips
from reenact.evaluation.metrics.nme import eye_distance, nme
from reenact.evaluation.metrics.openings import eye_gap, eye_gap_error, mouth_gap, mouth_gap_error
from reenact.evaluation.metrics.psnr import psnr
from reenact.evaluation.metrics.regions import face_mask, feature_mask
from reenact.evaluation.metrics.scale_drift import scale_drift
from reenact.evaluation.metrics.ssim import ssim

__all__ = [
    "ace",
    "akd",
    "angle_errors",
    "angles",
    "au_correlation",
    "aucon",
    "csim",
    "expression_error",
    "eye_distance",
    "eye_gap",
    "eye_gap_error",
    "face_mask",
    "feature_mask",
    "frechet_distance",
    "inception_features",
    "jitter",
    "l1",
    "lpips",
    "mouth_gap",
    "mouth_gap_error",
    "nme",
    "pose_mae",
    "prmse",
    "psnr",
    "scale_drift",
    "ssim",
    "verification_accuracy",
    "wander",
]
