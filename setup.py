"""Packaging of gtloc_forensics; tool settings live in pyproject.toml.

``plugins/``, ``models/`` and ``reports/templates/`` stand at the top of the
checkout because people look for them there; ``package_dir`` maps them into the
package, so that a wheel carries them and ``importlib.resources`` finds them.
"""

from __future__ import annotations

from pathlib import Path

from setuptools import find_packages, setup

MAPPED = {
    "gtloc_forensics.contrib": "plugins",
    "gtloc_forensics.models": "models",
    "gtloc_forensics.templates": "reports/templates",
}

# torch < 2.14 and torchvision < 0.29 belong together: torchvision pins one torch
# exactly, and an unbounded range replaces an installed CPU build by a CUDA one.
REQUIRES = [
    "torch>=2.6,<2.14",
    "torchvision>=0.21,<0.29",
    "timm>=1.0.12,<2",
    "safetensors>=0.4",
    "faiss-cpu>=1.8",
    "numpy>=1.26",
    "scipy>=1.11",
    "threadpoolctl>=3.5",
    "pyexiftool>=0.5.6",
    "tomlkit>=0.13",
    "sqlalchemy>=2.0",
    "cattrs>=23.2",
    "msgspec>=0.18",
    "filelock>=3.13",
    "alembic>=1.13",
    "watchdog>=7",
    "pillow>=12.2",
    "timezonefinder>=9",
    "tzdata>=2025.2",
    "click>=8.1",
    "rich>=13",
    "pluggy>=1.5",
    "jinja2>=3.1",
    "reportlab>=4.2",
    "pikepdf>=9",
    "platformdirs>=4",
    "babel>=2.14",
    "python-bidi>=0.6",
    "arabic-reshaper>=3",
]
EXTRAS = {
    "heic": ["pi-heif>=1.1"],
    "raw": ["rawpy>=0.24"],
    "video": ["av>=14"],
    "ocr": ["rapidocr-onnxruntime>=1.4"],
    "sign": ["pyhanko>=0.25"],
    "images": ["pytsk3>=20260715", "libewf-python>=20260924", "libfsapfs-python>=20260921", "py7zr>=1.0"],
    "c2pa": ["c2pa-python>=0.38"],
    "backup": ["iphone-backup-decrypt>=0.11"],
    "review": ["starlette>=0.40", "uvicorn>=0.30", "h11>=0.14"],
    "s3": ["s3fs>=2026.2"],
    "gcs": ["gcsfs>=2026.2"],
    "azure": ["adlfs>=2026.2"],
    "sftp": ["fsspec>=2026.2", "paramiko>=4"],
    "smb": ["fsspec>=2026.2", "smbprotocol>=1.14"],
    "cluster": ["distributed>=2026.8", "dask>=2026.8"],
    "postgres": ["psycopg[binary]>=3.1"],
    "train": ["matplotlib>=3.8"],
    "systems": ["s2geometry>=0.14", "astropy-healpix>=2", "scikit-learn>=1.4", "matplotlib>=3.8"],
    "text": ["transformers>=5,<6"],
    "model": ["matplotlib>=3.8", "scikit-learn>=1.4", "onnx>=1.16", "astronomy-engine>=2.1"],
    "test": [
        "imagehash>=4.3",
        "pytest>=8",
        "pytest-xdist>=3",
        "pytest-timeout>=2",
        "rawpy>=0.24",
        "av>=14",
        "setuptools>=69",
        "hypothesis>=6.100",
        "pvlib>=0.11",
        "pypdf>=5",
        "fonttools>=4.50",
        "pi-heif>=1.1",
        "pyhanko>=0.25",
        "psycopg[binary]>=3.1",
        "starlette>=0.40",
        "uvicorn>=0.30",
        "h11>=0.14",
        "pytsk3>=20260715",
        "libewf-python>=20260924",
        "libfsapfs-python>=20260921",
        "py7zr>=1.0",
        "s2geometry>=0.14",
        "astropy-healpix>=2",
        "scikit-learn>=1.4",
        "transformers>=5,<6",
        "c2pa-python>=0.38",
        "iphone-backup-decrypt>=0.11",
        "s3fs>=2026.2",
        "moto[s3]>=5.1",
        "flask>=3",
        "flask-cors>=5",
        "paramiko>=4",
        "smbprotocol>=1.14",
        "distributed>=2026.8",
        "dask>=2026.8",
        "cryptography>=43",
    ],
    "browser": ["playwright>=1.50", "axe-playwright-python>=0.1.4"],
    "lint": ["ruff>=0.8", "mypy>=1.13"],
    "validate": ["case-utils>=0.18", "plaso>=20260720", "timesketch-import-client>=20261014"],
}

setup(
    name="gtloc_forensics",
    version="0.1.0",
    description="Checks a folder of photos: what the metadata claims against what the pixels show",
    long_description=Path(__file__).with_name("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.11",
    packages=[*find_packages(include=["gtloc_forensics", "gtloc_forensics.*"]), *MAPPED],
    package_dir=MAPPED,
    package_data={
        "": ["*"],
        "gtloc_forensics": ["py.typed", "**/*"],
        "gtloc_forensics.contrib": ["**/*"],
        "gtloc_forensics.models": ["**/*"],
        "gtloc_forensics.templates": ["**/*"],
    },
    install_requires=REQUIRES,
    extras_require=EXTRAS,
    entry_points={
        "console_scripts": [
            "gtloc=gtloc_forensics.cli.programs:run_gtloc",
            "gtloc-audit=gtloc_forensics.cli.programs:run_audit",
        ],
    },
    classifiers=[
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
    ],
)
