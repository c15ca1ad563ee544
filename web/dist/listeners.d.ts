/** Takes away what `on` and its like have added; calling it twice is harmless. */
export type Unsubscribe = () => void;
