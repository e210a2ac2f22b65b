/** The sign of the extension, drawn in the colours of the theme. */

import { LabIcon } from '@jupyterlab/ui-components';

/** Executors around their driver. */
const DRAWN = `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">
  <g class="jp-icon3" fill="#616161">
    <circle cx="12" cy="12" r="4"/>
    <circle cx="12" cy="3.5" r="2"/>
    <circle cx="19.4" cy="7.75" r="2"/>
    <circle cx="19.4" cy="16.25" r="2"/>
    <circle cx="12" cy="20.5" r="2"/>
    <circle cx="4.6" cy="16.25" r="2"/>
    <circle cx="4.6" cy="7.75" r="2"/>
  </g>
</svg>`;

export const sparkIcon = new LabIcon({ name: 'spark-kernel:cluster', svgstr: DRAWN });
