"""Images of disks and archives as evidence: what lies in one, read without unpacking it.

:mod:`kinds` says by magic bytes what a file is and which files belong to it,
:mod:`container` lists and reads whatever that is through one interface, and one module
each knows a family: :mod:`disk_images` (raw and EWF, by pytsk3 and libewf), :mod:`zips`,
:mod:`tars`, :mod:`seven_zips`. Nothing is mounted, nothing is written beside the evidence,
and no name in a container ever becomes a path of this machine.
"""
