/** The largest request body and the longest request of a site: nginx and PHP must say the same. */
export const maxBodyMb = 128
export const maxRequestSeconds = 300
