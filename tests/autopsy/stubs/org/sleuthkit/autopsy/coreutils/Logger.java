package org.sleuthkit.autopsy.coreutils;

public final class Logger extends java.util.logging.Logger {
    private Logger(String name) { super(name, null); }
    public static Logger getLogger(String name) { return new Logger(name); }
}
