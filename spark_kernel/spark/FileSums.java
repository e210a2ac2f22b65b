package org.sparkkernel;

import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.hadoop.fs.FileStatus;

/** Number, size and newest modification of files. */
public final class FileSums {
  public long files;
  private long bytes;
  private long modified;

  public void add(FileStatus status) {
    String name = status.getPath().getName();
    if (name.startsWith("_") || name.startsWith(".")) {
      return;
    }
    files++;
    bytes += status.getLen();
    modified = Math.max(modified, status.getModificationTime());
  }

  public Map fingerprint() {
    Map found = new LinkedHashMap();
    found.put("files", Long.valueOf(files));
    found.put("bytes", Long.valueOf(bytes));
    found.put("modified", modified == 0 ? null : Long.valueOf(modified));
    return found;
  }
}
