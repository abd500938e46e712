package org.sleuthkit.datamodel;

public class BlackboardAttribute {
    public static final class Type {
        public static final Type TSK_SET_NAME = new Type("TSK_SET_NAME");
        public static final Type TSK_COMMENT = new Type("TSK_COMMENT");
        public final String name;
        Type(String name) { this.name = name; }
    }
    public final Type type;
    public final String value;
    public BlackboardAttribute(Type type, String moduleName, String value) { this.type = type; this.value = value; }
}
