package org.sleuthkit.autopsy.ingest;

public class IngestMessage {
    public enum MessageType { DATA, INFO, WARNING, ERROR }
    public final MessageType type;
    public final String subject;
    private IngestMessage(MessageType type, String subject) { this.type = type; this.subject = subject; }
    public static IngestMessage createMessage(MessageType messageType, String source, String subject) {
        return new IngestMessage(messageType, subject);
    }
}
