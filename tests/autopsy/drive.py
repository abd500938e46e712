"""Runs the modules as Autopsy would, on files of this disk, and prints what they did as JSON. For Jython.

    jython drive.py CLASSES MODULES CASE FOLDER [cancel | twice]
"""

import json
import os
import sys

CLASSES, MODULES, CASE, FOLDER = sys.argv[1:5]
HOW = sys.argv[5] if len(sys.argv) > 5 else ""
sys.path[:0] = [MODULES, CLASSES]

from gtloc_ingest import GtlocIngestModuleFactory  # noqa: E402 - after the path, as Autopsy does
from gtloc_report import GtlocReportModule  # noqa: E402
from java.io import File  # noqa: E402
from org.sleuthkit.autopsy.casemodule import Case  # noqa: E402
from org.sleuthkit.autopsy.ingest import (  # noqa: E402
    DataSourceIngestModuleProgress,
    IngestJobContext,
    IngestServices,
)
from org.sleuthkit.autopsy.report import GeneralReportSettings, ReportProgressPanel  # noqa: E402
from org.sleuthkit.datamodel import AbstractFile, Content  # noqa: E402


class Source(Content):
    """A data source."""

    def getId(self):
        return 42

    def getName(self):
        return "card.dd"

    def getSize(self):
        return 0


class Cancelled(IngestJobContext):
    """An ingest that is cancelled as soon as the program runs."""

    looks = 0

    def dataSourceIngestIsCancelled(self):
        Cancelled.looks += 1
        return os.path.exists(os.path.join(CASE, "gtloc", "42", "progress.log"))


Case.current = Case(CASE)
files = Case.current.getServices().getFileManager().all
number = 100
for folder, _, names in os.walk(FOLDER):
    for name in sorted(names):
        number += 1
        parent = "/img_card.dd/vol2" + folder[len(FOLDER) :].replace(os.sep, "/") + "/"
        files.add(AbstractFile(number, parent, name, File(os.path.join(folder, name))))
twin = files.get(0)
files.add(AbstractFile(number + 1, twin.getParentPath(), twin.getName(), twin.onDisk))  # a deleted one beside it

factory = GtlocIngestModuleFactory()
module = factory.createDataSourceIngestModule(None)
module.startUp(Cancelled() if HOW == "cancel" else IngestJobContext())
bar = DataSourceIngestModuleProgress()
result = module.process(Source(), bar)
if HOW == "twice":
    again = factory.createDataSourceIngestModule(None)
    again.startUp(IngestJobContext())
    result = again.process(Source(), bar)
panel = ReportProgressPanel()
os.path.isdir(os.path.join(CASE, "Reports")) or os.makedirs(os.path.join(CASE, "Reports"))
GtlocReportModule().generateReport(GeneralReportSettings(os.path.join(CASE, "Reports")), panel)
posted = Case.current.getSleuthkitCase().getBlackboard().posted
print(
    json.dumps(
        {
            "result": str(result),
            "is_of_data_sources": factory.isDataSourceIngestModuleFactory(),
            "messages": [[str(message.type), message.subject] for message in IngestServices.getInstance().posted],
            "posted": [
                {
                    "file": item.file.getParentPath() + item.file.getName(),
                    "type": item.type.name,
                    "score": item.score.name,
                    "conclusion": item.conclusion,
                    "configuration": item.configuration,
                    "justification": item.justification,
                    "attributes": dict((entry.type.name, entry.value) for entry in item.attributes),
                }
                for item in posted
            ],
            "progress": list(bar.told),
            "report": [str(panel.status), panel.message, list(Case.current.reports)],
        }
    )
)
