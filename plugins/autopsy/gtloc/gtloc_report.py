"""Autopsy: takes the PDF reports that the ingest module had written into the reports of the case.

A general report module for Autopsy 4.19 and later (Jython 2.7); it was tried in Jython against classes with the
documented signatures, not inside Autopsy.
SPDX-License-Identifier: Apache-2.0
"""

import os
import shutil

from org.sleuthkit.autopsy.casemodule import Case
from org.sleuthkit.autopsy.report import GeneralReportModuleAdapter
from org.sleuthkit.autopsy.report.ReportProgressPanel import ReportStatus

NAME = "gtloc: time and place of photos"
FOLDER = "gtloc"


class GtlocReportModule(GeneralReportModuleAdapter):
    """Copies what was written during the ingest; nothing is examined again."""

    moduleName = NAME

    def getName(self):
        return NAME

    def getDescription(self):
        return "The evidence report of each data source whose photos were checked for time and place."

    def getRelativeFilePath(self):
        return ""

    def generateReport(self, settings, progressBar):
        """Copy each report; *settings* is the folder in versions before 4.17, later it knows the folder."""
        folder = settings.getReportDirectoryPath() if hasattr(settings, "getReportDirectoryPath") else settings
        progressBar.setIndeterminate(False)
        progressBar.start()
        case = Case.getCurrentCaseThrows()
        written = os.path.join(case.getModuleDirectory(), FOLDER)
        sources = sorted(os.listdir(written)) if os.path.isdir(written) else []
        done = 0
        progressBar.setMaximumProgress(len(sources))
        for source in sources:
            report = os.path.join(written, source, "audit", "report.pdf")
            if os.path.isfile(report):
                target = os.path.join(folder, "gtloc-%s.pdf" % source)
                shutil.copyfile(report, target)
                case.addReport(target, NAME, "Time and place of photos, data source %s" % source)
                done += 1
            progressBar.increment()
        if done:
            progressBar.complete(ReportStatus.COMPLETE)
        else:
            progressBar.complete(ReportStatus.ERROR, "no data source was checked yet: run the ingest module first")
