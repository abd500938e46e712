"""Images of disks: partitions, their file systems, and the files in them, live and deleted, by the Sleuth Kit.

The Sleuth Kit (pytsk3) knows FAT, exFAT, NTFS, ext2 to ext4, HFS+ and others; APFS is
read beside it (:mod:`apfs`). Paths begin with the number of the partition, ``p1``, in the order of the table; an
image without a table is ``p0``. What was deleted lies beneath ``p1-deleted`` and the number of its
record, so that it can never be taken for a file, nor for another deleted one of its name.
What has no record any more is found only by carving (:mod:`carving`), in space that no live file claims.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from gtloc_forensics.errors import ToolMissing, UsageError
from gtloc_forensics.files.containers import apfs, fat_entries, fat_times, free_space, kinds
from gtloc_forensics.files.containers.carving import Stretch
from gtloc_forensics.files.containers.free_space import DEEPEST, FAILURES
from gtloc_forensics.files.containers.media import REMEDY, Media, tsk_image
from gtloc_forensics.files.containers.members import (
    ATTRIBUTES_OF_A_FILE,
    MOST_BYTES,
    SPECIAL,
    Member,
    Unreadable,
    is_container,
    link,
    step,
    too_long,
)
from gtloc_forensics.files.containers.volumes import Folder, Volume, deleted, live, namesake
from gtloc_forensics.files.types import has_photo_extension
from gtloc_forensics.records import FileStat, Sentence, Skipped

SMALLEST_GAP_BYTES = 16 << 20
"""A longer stretch that no partition claims is told."""

FIRST_OF_USERS, EXTENSIONS = 24, 11
"""Of the records of NTFS: those before the first are its own, and one is the folder of further ones."""

_OWN_PARTITION = b"Apple_partition_map"
"""The entry of a table for itself."""

_NAMES = (".dd", ".raw", ".img", ".bin", ".001", ".e01", ".ex01")
"""How the names of images end."""

_NOTHING_KNOWN = Sentence(
    "an image without a partition table or a file system that is known: wiped, encrypted or of another kind; gtloc "
    "audit --carve looks for photos in it"
)

_SECOND_NS = 1_000_000_000
_NTFS_STEP_NS = 100


class DiskImage:
    """An image as the Sleuth Kit reads it."""

    def __init__(self, media: Media, name: str, *, identity: int) -> None:
        """Find the file systems of *media*.

        Args:
            media: the content of the disk; closed by whoever opened it.
            name: of the image, for the error.
            identity: what stands for its content in the records of its files.

        Raises:
            ToolMissing: pytsk3 is not installed.
            UsageError: there is no partition and no file system in it.
        """
        try:
            import pytsk3
        except ModuleNotFoundError as error:
            raise ToolMissing("pytsk3", REMEDY) from error
        self._tsk = pytsk3
        self._media = media
        self._identity = identity
        self.libraries = f"pytsk3 {pytsk3.get_version()}"
        self._image = tsk_image(pytsk3, media)
        self._untold: list[Skipped] = []
        self._no_files: list[Stretch] = []  # partitions that could not be read, and what no partition claims
        self._pools: list[apfs.ApfsContainer] = []
        self.holds_nothing_known = False
        self._volumes = self._found()
        self.libraries = ", ".join(dict.fromkeys([self.libraries, *(pool.libraries for pool in self._pools)]))
        if not (self._volumes or self._pools or self._untold):
            self._refuse(name)

    def _refuse(self, name: str) -> None:
        """Refuse what holds nothing that is known, unless its name says that it is an image: a wiped card may be one.

        Raises:
            UsageError: its name does not, or it cannot be read, or holds what is known and not read.
        """
        kind = kinds.file_system_not_read(self._media.read, 0)
        whole = self._apfs(b"p0", 0, self._media.size_bytes)
        if whole is not None:
            raise UsageError(f"{name}: {whole}")
        if kind:
            raise UsageError(
                f"{name} is an image of {kind}, which this program does not read; take its photos out with a program "
                "that does and name the folder"
            )
        if not name.lower().endswith(_NAMES) or not self._can_be_read():
            raise UsageError(
                f"{name} is no folder, no archive, and no disk image with a partition table or a file system that is "
                "known; name the folder that holds the photos, or an image of a disk"
            )
        self.holds_nothing_known = True
        self._no_files = [Stretch(b"p0", 0, self._media.size_bytes)]
        self._untold = [Skipped(b"p0", _NOTHING_KNOWN, blocks=True)]

    def _can_be_read(self) -> bool:
        try:
            return bool(self._media.read(0, 512))
        except OSError:
            return False

    # ----------------------------------------------------------------- partitions

    def _found(self) -> list[Volume]:
        tsk = self._tsk
        try:
            table = tsk.Volume_Info(self._image)
            parts = list(table)
        except FAILURES:
            parts = []
        sector = int(table.info.block_size) if parts else 512
        volumes: list[Volume] = []
        for part in parts:
            start, length = int(part.start) * sector, int(part.len) * sector
            if int(part.flags) == int(tsk.TSK_VS_PART_FLAG_ALLOC) and part.desc != _OWN_PARTITION:
                number = len(volumes) + len(self._pools) + sum(entry.blocks for entry in self._untold) + 1
                volumes += self._opened(b"p%d" % number, start, start + length, part.desc)
            elif int(part.flags) == int(tsk.TSK_VS_PART_FLAG_UNALLOC):
                self._unclaimed(start, length)
        if not volumes and not self._pools:  # a card without a partition table, whose boot sector may look like one
            told, stretches = list(self._untold), list(self._no_files)
            volumes = self._opened(b"p0", 0, self._media.size_bytes, b"")
            is_one = bool(parts) and not volumes and not self._pools
            self._untold, self._no_files = (told, stretches) if is_one else ([], self._no_files if self._pools else [])
        return volumes

    def _unclaimed(self, start: int, length: int) -> None:
        self._no_files.append(Stretch(b"unclaimed", start, start + length))
        if length >= SMALLEST_GAP_BYTES:
            said = Sentence(
                "{size_mb:raw} MB that no partition claims; looked into only by gtloc audit --carve",
                size_mb=length >> 20,
            )
            self._untold.append(Skipped(b"unclaimed-%d" % start, said, blocks=False))

    def _opened(self, label: bytes, start: int, end: int, described: bytes) -> list[Volume]:
        try:
            system = self._tsk.FS_Info(self._image, offset=start)
        except FAILURES as error:
            self._no_files.append(Stretch(label, start, end))
            why = self._apfs(label, start, end) or self._not_read(start, described, error)
            if isinstance(why, apfs.ApfsContainer):
                self._pools.append(why)
            else:
                self._untold.append(Skipped(label, why, blocks=True))
            return []
        volume = Volume(label, start, end, system)
        if self._is_fat(volume) or self._is_exfat(volume):
            volume.data_area = fat_times.data_area(self._media.read, start, is_exfat=self._is_exfat(volume))
        return [volume]

    def _apfs(self, label: bytes, start: int, end: int) -> apfs.ApfsContainer | Sentence | None:
        if kinds.file_system_not_read(self._media.read, start) != apfs.NAME:
            return None
        return apfs.opened(self._media, label, start, end, number=len(self._pools), identity=self._identity)

    def _not_read(self, start: int, described: bytes, error: Exception) -> Sentence:
        """Return why a partition was not read: by what it is, where its first bytes tell, else as the library says."""
        kind = kinds.file_system_not_read(self._media.read, start)
        if kind:
            return Sentence(
                "a partition of {kind}, which this program does not read; take its photos out with a program that "
                "does and audit the folder",
                kind=kind,
            )
        return Sentence(
            "a partition ({kind}) whose file system could not be read, because it is of an unknown kind, "
            "encrypted or damaged ({said})",
            kind=described.decode("utf-8", "replace") or "?",
            said=(str(error).splitlines() or ["?"])[0][:160],
        )

    def _kind(self, volume: Volume) -> int:
        return int(volume.system.info.ftype)

    def _is_fat(self, volume: Volume) -> bool:
        tsk = self._tsk
        return self._kind(volume) in (
            int(tsk.TSK_FS_TYPE_FAT12),
            int(tsk.TSK_FS_TYPE_FAT16),
            int(tsk.TSK_FS_TYPE_FAT32),
        )

    def _is_exfat(self, volume: Volume) -> bool:
        return self._kind(volume) == int(self._tsk.TSK_FS_TYPE_EXFAT)

    # ----------------------------------------------------------------- files

    def members(self) -> Iterator[Member | Skipped]:
        """Yield the files of every partition."""
        yield from self._untold
        for pool in self._pools:
            yield from pool.members()
        for number, volume in enumerate(self._volumes):
            volume.seen.clear()
            pending = [Folder(int(volume.system.info.root_inum), b"", 0, is_deleted=False)]
            while pending:
                folder, listed = pending.pop(), set[int]()
                try:
                    for entry in volume.system.open_dir(inode=folder.number):
                        if volume.data_area:  # others are not asked what they left out
                            listed.add(int(entry.info.name.meta_addr))
                        yield from self._entry(number, volume, folder, entry, pending)
                    yield from self._unlisted(volume, folder, listed)
                except FAILURES as error:
                    said = Sentence(
                        "a folder of the image that could not be read ({said})",
                        said=(str(error).splitlines() or ["?"])[0][:160],
                    )
                    yield Skipped(live(volume, folder.path or b"."), said, blocks=not folder.is_deleted)

    def _unlisted(self, volume: Volume, folder: Folder, listed: set[int]) -> Iterator[Skipped]:
        """Yield the entries of a live folder of FAT or exFAT that the library passed over in silence."""
        if folder.is_deleted or not volume.data_area:
            return
        left_out = fat_entries.unlisted(
            self._media.read,
            volume.system,
            start=volume.start,
            area=volume.data_area,
            folder=folder.number,
            listed=listed,
            is_exfat=self._is_exfat(volume),
        )
        for name, said in left_out:
            path = b"/".join(filter(None, (folder.path, step(name))))
            yield Skipped(live(volume, path), said, blocks=has_photo_extension(path))

    def _entry(
        self, number: int, volume: Volume, folder: Folder, entry: Any, pending: list[Folder]
    ) -> Iterator[Member | Skipped]:
        tsk, name = self._tsk, entry.info.name
        raw = bytes(name.name or b"")
        if raw in (b"", b".", b".."):
            return
        path = b"/".join(filter(None, (folder.path, step(raw))))
        kind = int(name.type)
        if kind == int(tsk.TSK_FS_NAME_TYPE_VIRT):
            return  # not of the disk: the Sleuth Kit's own names for its tables
        is_deleted = folder.is_deleted or bool(int(name.flags) & int(tsk.TSK_FS_NAME_FLAG_UNALLOC))
        if kind == int(tsk.TSK_FS_NAME_TYPE_VIRT_DIR):
            is_deleted = True  # the folder of deleted files whose own folder is gone
        yield from self._known(
            number, volume, Folder(int(name.meta_addr), path, folder.depth, is_deleted), entry, pending
        )

    def _known(
        self, number: int, volume: Volume, found: Folder, entry: Any, pending: list[Folder]
    ) -> Iterator[Member | Skipped]:
        if entry.info.meta is None and found.is_deleted:
            entry = self._record(volume, found.number) or entry
        tsk, meta = self._tsk, entry.info.meta
        place = deleted(volume, found) if found.is_deleted else live(volume, found.path)
        if self._is_of_the_system(volume, found):
            yield Skipped(place, Sentence("a table of the file system itself"), blocks=False)
        elif meta is None:
            gone = Sentence("a name whose record on the disk is gone")
            yield Skipped(place, gone, blocks=has_photo_extension(found.path) and not found.is_deleted)
        elif int(meta.type) in (int(tsk.TSK_FS_META_TYPE_DIR), int(tsk.TSK_FS_META_TYPE_VIRT_DIR)):
            yield from self._folder(volume, found, place, pending)
        elif found.is_deleted and int(meta.flags) & int(tsk.TSK_FS_META_FLAG_ALLOC):
            yield Skipped(place, Sentence("a deleted name whose record belongs to another file now"), blocks=False)
        elif int(meta.type) == int(tsk.TSK_FS_META_TYPE_LNK):
            yield Skipped(place, link(b""), blocks=has_photo_extension(found.path))
        elif int(meta.type) == int(tsk.TSK_FS_META_TYPE_REG):
            yield from self._file(number, volume, found, place, entry)
        else:
            yield Skipped(place, SPECIAL, blocks=has_photo_extension(found.path))

    def _record(self, volume: Volume, number: int) -> Any:
        """Return a file by the number of its record, which a deleted name still tells; None where there is none."""
        try:
            return volume.system.open_meta(inode=number) if number else None
        except FAILURES:
            return None

    def _is_of_the_system(self, volume: Volume, found: Folder) -> bool:
        """Say whether an entry is one of the records with which NTFS begins, but for its folder of further ones."""
        is_ntfs = self._kind(volume) == int(self._tsk.TSK_FS_TYPE_NTFS)
        return is_ntfs and found.number < FIRST_OF_USERS and found.number != EXTENSIONS

    def _folder(self, volume: Volume, found: Folder, place: bytes, pending: list[Folder]) -> Iterator[Member | Skipped]:
        if found.number in volume.seen:
            if not found.is_deleted:
                yield Skipped(place, Sentence("a folder of the image that is listed under another name"), blocks=False)
        elif found.depth >= DEEPEST:
            yield Skipped(place, Sentence("folders within folders deeper than a person makes them"), blocks=True)
        else:
            volume.seen.add(found.number)
            pending.append(Folder(found.number, found.path, found.depth + 1, found.is_deleted))

    def _file(self, number: int, volume: Volume, found: Folder, place: bytes, entry: Any) -> Iterator[Member | Skipped]:
        stat = self._stat(volume, found, entry.info.meta)
        if is_container(found.path):
            yield Member(place, stat, f"{number}:{found.number}", True, namesake(volume, found))
            return
        if stat.size_bytes > MOST_BYTES and has_photo_extension(found.path):
            yield Skipped(place, too_long(stat.size_bytes), blocks=True)
            return
        yield Member(place, stat, f"{number}:{found.number}", namesake=namesake(volume, found))
        if self._kind(volume) == int(self._tsk.TSK_FS_TYPE_NTFS):
            yield from self._streams(number, found, place, stat, entry)

    def _streams(self, number: int, found: Folder, place: bytes, stat: FileStat, entry: Any) -> Iterator[Member]:
        """Yield the further streams that a file of NTFS has under its own name."""
        try:
            attributes = [attribute.info for attribute in entry]
        except FAILURES:
            return
        for info in attributes:
            if int(info.type) == int(self._tsk.TSK_FS_ATTR_TYPE_NTFS_DATA) and info.name:
                path = place + b":" + step(bytes(info.name))
                address = f"{number}:{found.number}:{int(info.type)}:{int(info.id)}"
                beside = namesake(self._volumes[number], found) + b":" + step(bytes(info.name))
                yield Member(path, _resized(stat, int(info.size)), address, namesake=beside)

    def _stat(self, volume: Volume, found: Folder, meta: Any) -> FileStat:
        modified, created, changed, accessed = (_ns(meta, name) for name in ("mtime", "crtime", "ctime", "atime"))
        is_local, step_ns = False, self._step_ns(volume)
        if self._is_fat(volume) or self._is_exfat(volume):
            read = fat_times.of_entry(
                self._media.read, volume.data_area, int(meta.addr), is_exfat=self._is_exfat(volume)
            )
            changed = accessed = 0  # neither records a change of the record; FAT knows of reading only the day
            modified, created = (read.modified_ns, read.created_ns) if read else (0, 0)
            is_local, step_ns = (read.is_local, read.step_ns) if read else (True, fat_times.FAT_STEP_NS)
        elif self._kind(volume) == int(self._tsk.TSK_FS_TYPE_ISO9660):
            modified = created = changed = accessed = 0  # turned by the zone of this machine: not to be relied on
        return FileStat(
            size_bytes=int(meta.size),
            mtime_ns=modified,
            ctime_ns=changed,
            atime_ns=accessed,
            mode=ATTRIBUTES_OF_A_FILE,
            inode=found.number,
            device=self._identity,
            links=int(meta.nlink),
            birth_ns=created or None,
            is_local=is_local,
            mtime_step_ns=step_ns,
            birth_step_ns=step_ns,
            is_deleted=found.is_deleted,
        )

    def _step_ns(self, volume: Volume) -> int:
        if self._kind(volume) == int(self._tsk.TSK_FS_TYPE_NTFS):
            return _NTFS_STEP_NS
        has_parts = int(volume.system.info.flags) & int(self._tsk.TSK_FS_INFO_FLAG_HAVE_NANOSEC)
        return 1 if has_parts else _SECOND_NS

    # ----------------------------------------------------------------- free space

    def free_space(self) -> list[Stretch]:
        """Return what no live file claims, in the order in which it lies there.

        A partition that cannot be read, and what no partition claims, counts as a whole.
        """
        found = list(self._no_files)
        for volume in self._volumes:
            claimed = free_space.stretches(self._tsk, volume.system, volume.start, volume.end)
            found += [Stretch(volume.label, start, end) for start, end in claimed]
        return sorted(found, key=lambda stretch: stretch.start)

    def first_byte(self, address: str) -> int | None:
        """Return the byte of the medium at which the content of a file begins; None where nothing tells it."""
        number, inode, *_ = map(int, address.split(":"))
        volume = self._volumes[number]
        return free_space.first_byte(volume.system, volume.start, inode)

    # ----------------------------------------------------------------- content

    def blocks(self, address: str, block_bytes: int) -> Iterator[bytes]:
        """Yield the content of a file; of a deleted one what its record says was its content."""
        if address.startswith(apfs.PREFIX):
            yield from self._pools[apfs.number_of(address)].blocks(address, block_bytes)
            return
        number, inode, *attribute = map(int, address.split(":"))
        try:
            file = self._volumes[number].system.open_meta(inode=inode)
            size = int(file.info.meta.size) if not attribute else self._size_of(file, attribute)
            offset = 0
            while offset < size:
                block = file.read_random(offset, min(block_bytes, size - offset), *attribute)
                if not block:
                    raise Unreadable(Sentence("it ends before its length in the image"))
                offset += len(block)
                yield block
        except FAILURES as error:
            if isinstance(error, Unreadable):
                raise
            said = (str(error).splitlines() or ["?"])[0][:160]
            raise Unreadable(Sentence("the image could not be read there ({said})", said=said)) from error

    def _size_of(self, file: Any, wanted: list[int]) -> int:
        sizes = [int(each.info.size) for each in file if [int(each.info.type), int(each.info.id)] == wanted]
        return sizes[0] if sizes else 0

    def close(self) -> None:
        """Let go of the image."""
        for pool in self._pools:
            pool.close()
        self._volumes.clear()


def _ns(meta: Any, name: str) -> int:
    seconds = int(getattr(meta, name))
    return seconds * _SECOND_NS + int(getattr(meta, f"{name}_nano")) if seconds else 0


def _resized(stat: FileStat, size_bytes: int) -> FileStat:
    return replace(stat, size_bytes=size_bytes)
