package org.sparkkernel;

import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Reads what Spark's objects hold by name: classes move and grow between its versions.
 *
 * <p>What is not there is null, and the caller says that it does not know.
 */
public final class Fields {
  private static final Map METHODS = new ConcurrentHashMap();
  private static final Object NONE = new Object();

  private Fields() {}

  /** Gives what a method without parameters gives, or null. */
  public static Object of(Object object, String name) {
    return object == null ? null : invoke(object, name, new Object[0]);
  }

  /** Gives what a chain of such methods gives, by dots; options are opened on the way. */
  public static Object path(Object object, String names) {
    String[] parts = names.split("\\.");
    Object found = object;
    for (int i = 0; i < parts.length && found != null; i++) {
      found = option(of(found, parts[i]));
    }
    return found;
  }

  /** Calls the method of a name that takes so many arguments; gives null where there is none. */
  public static Object invoke(Object object, String name, Object[] arguments) {
    try {
      Object method = method(object.getClass(), name, arguments.length);
      return method == null ? null : ((Method) method).invoke(object, arguments);
    } catch (Throwable unknown) {
      return null;
    }
  }

  private static Object method(Class type, String name, int arity) {
    String key = type.getName() + "@" + System.identityHashCode(type) + "." + name + "/" + arity;
    Object known = METHODS.get(key);
    if (known == null) {
      known = find(type, name, arity);
      METHODS.put(key, known);
    }
    return known == NONE ? null : known;
  }

  private static Object find(Class type, String name, int arity) {
    Method[] methods = type.getMethods();
    Method found = null;
    for (int i = 0; i < methods.length; i++) {
      if (methods[i].getName().equals(name) && methods[i].getParameterTypes().length == arity
          && (found == null || !methods[i].isBridge())) {
        found = methods[i];
      }
    }
    if (found == null) {
      return NONE;
    }
    found.setAccessible(true);
    return found;
  }

  /** Gives a field of an object, also a private one of a class above; or null. */
  public static Object field(Object object, String name) {
    for (Class type = object.getClass(); type != null; type = type.getSuperclass()) {
      try {
        Field field = type.getDeclaredField(name);
        field.setAccessible(true);
        return field.get(object);
      } catch (Throwable elsewhere) {
        continue;
      }
    }
    return null;
  }

  /** Opens an option of Scala's. */
  public static Object option(Object value) {
    if (value instanceof scala.Option) {
      return ((scala.Option) value).isDefined() ? ((scala.Option) value).get() : null;
    }
    return value;
  }

  /** Gives the members of a collection of Scala's. */
  public static List list(Object collection) {
    List members = new ArrayList();
    if (collection instanceof scala.collection.Iterable) {
      scala.collection.Iterator all = ((scala.collection.Iterable) collection).iterator();
      while (all.hasNext()) {
        members.add(all.next());
      }
    }
    return members;
  }

  /** Gives an entry of a map of texts, of Scala's or of Java's, whatever the case of its key. */
  public static String entry(Object map, String key) {
    if (map instanceof Map) {
      Object value = ((Map) map).get(key);
      return value == null ? null : value.toString();
    }
    List entries = list(map);
    for (int i = 0; i < entries.size(); i++) {
      scala.Tuple2 entry = (scala.Tuple2) entries.get(i);
      if (key.equalsIgnoreCase(String.valueOf(entry._1())) && entry._2() != null) {
        return entry._2().toString();
      }
    }
    return null;
  }

  /** Gives the name of a class without its package. */
  public static String kind(Object object) {
    String name = object.getClass().getName();
    name = name.substring(name.lastIndexOf('.') + 1);
    return name.endsWith("$") ? name.substring(0, name.length() - 1) : name;
  }

  public static String text(Object value) {
    return value == null ? "" : value.toString();
  }
}
