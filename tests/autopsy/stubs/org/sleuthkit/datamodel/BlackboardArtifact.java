package org.sleuthkit.datamodel;

public class BlackboardArtifact {
    /** As in versions before 4.20, without TSK_INTERESTING_ITEM: the module falls back. */
    public static class Type {
        public static final Type TSK_INTERESTING_FILE_HIT = new Type("TSK_INTERESTING_FILE_HIT");
        public final String name;
        Type(String name) { this.name = name; }
    }
}
