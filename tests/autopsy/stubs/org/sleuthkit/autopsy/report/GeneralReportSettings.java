package org.sleuthkit.autopsy.report;

public class GeneralReportSettings {
    private final String folder;
    public GeneralReportSettings(String folder) { this.folder = folder; }
    public String getReportDirectoryPath() { return folder; }
}
