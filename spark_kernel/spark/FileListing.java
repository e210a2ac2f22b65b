package org.sparkkernel;

import java.io.FileNotFoundException;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RemoteIterator;

/**
 * Looks at the files below a place, within bounds of number and time.
 *
 * <p>Names that begin with an underscore or a dot do not count, but for folders of partitions. What
 * was too large once is not listed again.
 */
public class FileListing {
  public static final int MAX_FILES = 10000;
  private static final long CONNECT_MS = 1000;
  private static final int THREADS = 4;

  private final Configuration configuration;
  private final Set tooLarge = Collections.synchronizedSet(new HashSet());
  private final ThreadPoolExecutor threads;

  public FileListing(Configuration configuration) {
    this.configuration = configuration;
    ThreadFactory daemons = new ThreadFactory() {
      public Thread newThread(Runnable work) {
        Thread thread = new Thread(work, "spark-kernel-listing");
        thread.setDaemon(true);
        return thread;
      }
    };
    this.threads = new ThreadPoolExecutor(
        0, THREADS, 10, TimeUnit.SECONDS, new SynchronousQueue(), daemons);
  }

  /** Gives a path as the file system names it; as it is where there is no such file system. */
  public String qualified(String path) {
    try {
      Path given = new Path(path);
      FileSystem system = given.getFileSystem(configuration);
      return given.makeQualified(system.getUri(), system.getWorkingDirectory()).toString();
    } catch (Throwable unknown) {
      return path;
    }
  }

  /**
   * Gives the state of the files at a path or pattern: "fingerprint", or "note" why there is none.
   */
  public Map look(final String path, final long limitMs, boolean isAsked) {
    if (!isAsked && tooLarge.contains(path)) {
      return note("too large to be listed again");
    }
    Future future;
    try {
      future = threads.submit(new Callable() {
        public Object call() throws Exception {
          return list(path, limitMs);
        }
      });
    } catch (RejectedExecutionException busy) {
      return note("not listed: the file system does not answer");
    }
    try {
      return (Map) future.get(limitMs + CONNECT_MS, TimeUnit.MILLISECONDS);
    } catch (TimeoutException slow) {
      future.cancel(true);
      return tooSlow(path);
    } catch (Throwable failed) {
      Throwable cause = failed.getCause() == null ? failed : failed.getCause();
      return note(cause instanceof FileNotFoundException
          ? "not there" : "cannot be listed: " + Fields.kind(cause));
    }
  }

  public void stop() {
    threads.shutdownNow();
  }

  private Map list(String path, long limitMs) throws Exception {
    Path place = new Path(path);
    FileSystem system = place.getFileSystem(configuration);
    long deadline = System.nanoTime() + limitMs * 1000000L;
    ArrayDeque left = new ArrayDeque();
    if (isPattern(path) && !system.exists(place)) {
      FileStatus[] matches = system.globStatus(place);
      for (int i = 0; matches != null && i < matches.length; i++) {
        if (!matches[i].getPath().getName().startsWith(".")) {
          left.add(matches[i]);
        }
      }
      if (left.isEmpty()) {
        return note("not there");
      }
    } else {
      left.add(system.getFileStatus(place));
    }
    FileSums sums = new FileSums();
    while (!left.isEmpty()) {
      FileStatus status = (FileStatus) left.removeLast();
      if (!status.isDirectory()) {
        sums.add(status);
        continue;
      }
      RemoteIterator children = system.listStatusIterator(status.getPath());
      while (children.hasNext()) {
        FileStatus child = (FileStatus) children.next();
        if (isHidden(child)) {
          continue;
        }
        left.add(child);
        if (sums.files + left.size() > MAX_FILES) {
          tooLarge.add(path);
          return note("more than 10,000 files");
        }
        if (System.nanoTime() > deadline) {
          return tooSlow(path);
        }
      }
    }
    Map found = new LinkedHashMap();
    found.put("fingerprint", sums.fingerprint());
    return found;
  }

  private Map tooSlow(String path) {
    tooLarge.add(path);
    return note("took too long to list");
  }

  static boolean isPattern(String path) {
    for (int i = 0; i < path.length(); i++) {
      if ("*?[{".indexOf(path.charAt(i)) >= 0) {
        return true;
      }
    }
    return false;
  }

  private static boolean isHidden(FileStatus status) {
    String name = status.getPath().getName();
    boolean isPartition = status.isDirectory() && name.indexOf('=') >= 0;
    return name.startsWith(".") || (name.startsWith("_") && !isPartition);
  }

  private static Map note(String text) {
    Map found = new LinkedHashMap();
    found.put("note", text);
    return found;
  }
}
