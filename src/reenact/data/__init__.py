"""The data sets by name. A data set that is not in this table does not exist for the rest of the package."""

from __future__ import annotations

from reenact.data.celeba_hq import CELEBA_HQ
from reenact.data.celebv import CELEBV
from reenact.data.ffhq import FFHQ
from reenact.data.items import DataSet
from reenact.data.multipie import MULTIPIE
from reenact.data.plain import FOLDERS
from reenact.data.raf_db import RAF_DB
from reenact.data.rafd import RAFD
from reenact.data.voxceleb import VOXCELEB1, VOXCELEB2
from reenact.errors import ReenactError

DATASETS: dict[str, DataSet] = {
    dataset.name: dataset
    for dataset in (VOXCELEB1, VOXCELEB2, RAFD, MULTIPIE, CELEBA_HQ, FFHQ, RAF_DB, CELEBV, FOLDERS)
}


def find_dataset(name: str) -> DataSet:
    """The data set of that name; a ReenactError names the ones there are."""
    if name not in DATASETS:
        raise ReenactError(f"there is no data set {name!r}; choose one of: {', '.join(DATASETS)}")
    return DATASETS[name]
