"""Autopsy: checks when and where the photos of a data source say they were taken, and posts what was found.

A data source ingest module for Autopsy 4.19 and later (Jython 2.7). It copies photos and films out of the data
source into the case's own folder, has the command line program audit the copies, and posts an analysis result for
every photo with a finding. It writes nothing into the data source and talks to no network.

It was tried in Jython against classes with the documented signatures, not inside Autopsy.
SPDX-License-Identifier: Apache-2.0
"""

import os

from gtloc_lines import ENDINGS, Failed, Stopped, options, photos, place_of, program, run
from java.io import File
from java.util import Arrays
from java.util.logging import Level
from org.sleuthkit.autopsy.casemodule import Case
from org.sleuthkit.autopsy.coreutils import Logger
from org.sleuthkit.autopsy.datamodel import ContentUtils
from org.sleuthkit.autopsy.ingest import (
    DataSourceIngestModule,
    IngestMessage,
    IngestModule,
    IngestModuleFactoryAdapter,
    IngestServices,
)
from org.sleuthkit.autopsy.ingest.IngestModule import IngestModuleException
from org.sleuthkit.datamodel import BlackboardArtifact, BlackboardAttribute, Score

NAME = "gtloc: time and place of photos"
VERSION = "0.1.0"
HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = "gtloc"
FOUND = (u"suspicious", u"contradiction")
STAGES = {
    "open": "opening exiftool and the model",
    "known": "looking for photos that were examined before",
    "examine": "examining photos",
    "verify": "hashing again",
    "check": "checking",
    "report": "writing the report",
    "read": "reading the case for the report",
    "pages": "laying out pages",
}


class GtlocIngestModuleFactory(IngestModuleFactoryAdapter):
    """Tells Autopsy of the module."""

    moduleName = NAME

    def getModuleDisplayName(self):
        return NAME

    def getModuleDescription(self):
        return "Checks when and where photos claim to have been taken against GPS, sun, file names and each other."

    def getModuleVersionNumber(self):
        return VERSION

    def isDataSourceIngestModuleFactory(self):
        return True

    def createDataSourceIngestModule(self, ingestOptions):
        return GtlocIngestModule()


class GtlocIngestModule(DataSourceIngestModule):
    """One run on one data source."""

    def __init__(self):
        self.context = None
        self.command = []
        self.logger = Logger.getLogger(NAME)

    def startUp(self, context):
        self.context = context
        try:
            self.command = program(HERE)
        except Failed as error:
            raise IngestModuleException(str(error))

    def process(self, dataSource, progressBar):
        progressBar.switchToIndeterminate()
        try:
            return self._process(dataSource, progressBar)
        except Stopped:
            return IngestModule.ProcessResult.OK
        except Failed as error:
            self._say(IngestMessage.MessageType.ERROR, unicode(error))
            return IngestModule.ProcessResult.ERROR

    def _process(self, source, bar):
        case = Case.getCurrentCaseThrows()
        folder = os.path.join(case.getModuleDirectory(), FOLDER, str(source.getId()))
        files = self._copied(case, source, os.path.join(folder, "photos"), bar)
        if not files:
            self._say(IngestMessage.MessageType.INFO, u"no photos or films in %s" % source.getName())
            return IngestModule.ProcessResult.OK
        lines, progress = os.path.join(folder, "lines"), os.path.join(folder, "progress")
        report = os.path.join(folder, "audit")
        command = self.command + [
            "audit", "--lines", lines, "--progress", progress, "-o", report
        ] + options(HERE) + ["--", os.path.join(folder, "photos")]
        code = run(command, progress, self._is_cancelled, lambda *told: self._show(bar, *told))
        found = self._post(case, files, lines)
        unread = u"; not all could be examined, the report says which" if code == 3 else u""
        self._say(
            IngestMessage.MessageType.DATA,
            u"%d photos and films of %s checked, something found in %d%s" % (len(files), source.getName(), found, unread),
        )
        return IngestModule.ProcessResult.OK

    def _copied(self, case, source, folder, bar):
        """Copy what is wanted out of the data source; return the files of Autopsy by their place below the folder."""
        manager = case.getServices().getFileManager()
        taken, out = set(), {}
        for ending in ENDINGS:
            for file in manager.findFiles(source, "%." + ending):
                if self._is_cancelled():
                    raise Stopped()
                if not file.isFile() or file.getSize() <= 0:
                    continue
                place = place_of(unicode(file.getParentPath()), unicode(file.getName()), taken)
                target = File(os.path.join(folder, *place))
                target.getParentFile().mkdirs()
                if target.length() != file.getSize():
                    ContentUtils.writeToFile(file, target)
                out[u"/".join(place)] = file
            bar.progress(u"copying photos: %d" % len(out))
        return out

    def _post(self, case, files, lines):
        """Post a result for each photo with a finding that has not got it yet; return how many have one."""
        blackboard = case.getSleuthkitCase().getBlackboard()
        kind = getattr(BlackboardArtifact.Type, "TSK_INTERESTING_ITEM", None)
        kind = kind or BlackboardArtifact.Type.TSK_INTERESTING_FILE_HIT  # before Autopsy 4.20
        found = 0
        for path, words, sentence in photos(lines):
            file = files.get(path)
            words = [word for word in words if word.split(u"|")[1:2] and word.split(u"|")[1] in FOUND]
            if file is None or not words:
                continue
            found += 1
            causes = u", ".join(word.partition(u"|")[2].replace(u"|", u": ") for word in words)
            if self._is_posted(file, kind, sentence, causes):
                continue
            attributes = Arrays.asList(
                BlackboardAttribute(BlackboardAttribute.Type.TSK_SET_NAME, NAME, NAME),
                BlackboardAttribute(BlackboardAttribute.Type.TSK_COMMENT, NAME, sentence),
            )
            posted = file.newAnalysisResult(
                kind, Score.SCORE_LIKELY_NOTABLE, sentence, u"gtloc " + VERSION, causes, attributes
            ).getAnalysisResult()
            blackboard.postArtifact(posted, NAME, self.context.getJobId())
        return found

    def _is_posted(self, file, kind, sentence, causes):
        """Say whether an earlier run on this data source posted the same."""
        told = (sentence, u"gtloc " + VERSION, causes)
        return any(
            told == (result.getConclusion(), result.getConfiguration(), result.getJustification())
            for result in file.getAnalysisResults(kind)
        )

    def _is_cancelled(self):
        return self.context.dataSourceIngestIsCancelled()

    def _show(self, bar, stage, done, total):
        if total:
            bar.switchToDeterminate(total)
            bar.progress(STAGES.get(stage, stage), min(done, total))
        else:
            bar.progress(STAGES.get(stage, stage))

    def _say(self, kind, text):
        self.logger.log(Level.INFO, text)
        IngestServices.getInstance().postMessage(IngestMessage.createMessage(kind, NAME, text))
