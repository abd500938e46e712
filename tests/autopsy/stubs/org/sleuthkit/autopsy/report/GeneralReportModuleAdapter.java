package org.sleuthkit.autopsy.report;

public abstract class GeneralReportModuleAdapter {
    public abstract String getName();
    public abstract String getDescription();
    public String getRelativeFilePath() { return ""; }
    public void generateReport(GeneralReportSettings settings, ReportProgressPanel progressPanel) { }
}
