/**
 * The time-outs by which traffic ends, by the names of their flags: in the log and in the access log.
 */
export type TimeoutName =
  | 'header-timeout'
  | 'body-timeout'
  | 'backend-connect-timeout'
  | 'backend-headers-timeout'
  | 'backend-body-timeout'
  | 'tcp-idle-timeout';
