// Starts Swagger UI on the service's own description; nothing is asked of any other host.
"use strict";
(() => {
  const place = document.getElementById("operations");
  place.lang = "en";
  place.dir = "ltr";
  SwaggerUIBundle({
    url: place.dataset.description,
    domNode: place,
    deepLinking: true,
    validatorUrl: null,
    docExpansion: "list",
    defaultModelsExpandDepth: 0,
    // Our own heading says it already.
    plugins: [() => ({ wrapComponents: { InfoContainer: () => () => null } })],
    // The key of the example is no key of anybody's: each time one leaves it there, a new one is sent.
    requestInterceptor: (request) => {
      if (request.headers["Idempotency-Key"] === place.dataset.exampleKey) {
        request.headers["Idempotency-Key"] = crypto.randomUUID();
      }
      return request;
    },
  });
})();
