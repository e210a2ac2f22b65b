// Runs in each page before JupyterLab: what the page itself has to tell of its speed.
window.benchmark = (() => {
  const RENDERED = '.jp-Notebook .jp-CodeCell .cm-content';
  const LOOK_MS = 10;
  let longestTask = 0;
  let longestFrame = 0;
  let isWatching = false;

  new PerformanceObserver(list => {
    for (const entry of list.getEntries()) {
      longestTask = Math.max(longestTask, entry.duration);
    }
  }).observe({ type: 'longtask', buffered: true });

  // JupyterLab's own indicator says idle before there is a kernel.
  const isIdle = () => {
    const kernel = window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel;
    return kernel?.status === 'idle' && kernel.connectionStatus === 'connected';
  };

  const opened = new Promise(resolve => {
    const timer = setInterval(() => {
      if (isIdle() && document.querySelector(RENDERED)) {
        clearInterval(timer);
        resolve(performance.now());
      }
    }, LOOK_MS);
  });

  const nextFrame = before =>
    requestAnimationFrame(now => {
      longestFrame = Math.max(longestFrame, now - before);
      if (isWatching) {
        nextFrame(now);
      }
    });

  return {
    opened,
    running: null,
    run(first, last) {
      const { shell, commands } = window.jupyterapp;
      const notebook = shell.currentWidget.content;
      notebook.deselectAll();
      notebook.activeCellIndex = first;
      if (last > first) {
        notebook.extendContiguousSelectionTo(last);
      }
      this.running = commands.execute('notebook:run-cell').then(isDone => isDone !== false);
    },
    watchFrames() {
      isWatching = true;
      longestFrame = 0;
      nextFrame(performance.now());
    },
    longestFrame() {
      isWatching = false;
      return longestFrame;
    },
    longestTask() {
      const found = longestTask;
      longestTask = 0;
      return found;
    },
    files: () =>
      performance
        .getEntriesByType('resource')
        .filter(entry => /\.(js|css)(\?|$)/.test(entry.name))
        .map(entry => [entry.name, entry.decodedBodySize])
  };
})();
