package org.sleuthkit.autopsy.report;

public class ReportProgressPanel {
    public enum ReportStatus { QUEUING, RUNNING, COMPLETE, CANCELED, ERROR }
    public ReportStatus status = ReportStatus.QUEUING;
    public String message = "";
    public void setIndeterminate(boolean indeterminate) { }
    public void start() { status = ReportStatus.RUNNING; }
    public void setMaximumProgress(int max) { }
    public void increment() { }
    public void complete(ReportStatus reportStatus) { status = reportStatus; }
    public void complete(ReportStatus reportStatus, String statusMessage) { status = reportStatus; message = statusMessage; }
}
