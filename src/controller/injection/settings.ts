/** What every injected pod gets, whatever it is: the same in the webhook and offline. */
export interface InjectionSettings {
  readonly image: string;
  readonly imagePullPolicy: 'Always' | 'IfNotPresent' | 'Never';
  /** Of the image: what pods say they were injected by. */
  readonly version: string;
  readonly trustDomain: string;
  readonly controller: {
    readonly host: string;
    readonly port: number;
    readonly namespace: string;
    readonly serviceAccount: string;
  };
  /** Of the token that the sidecar shows to the controller. */
  readonly audience: string;
  /** The ConfigMap with the roots, in the pod's namespace. */
  readonly trustBundle: string;
  /** What holds where no policy says anything. */
  readonly defaults: {
    readonly tlsMode: 'Strict' | 'Permissive' | 'Disabled';
    readonly unselected: 'Deny' | 'AllowAuthenticated';
  };
  /** Of the sidecar's container, and of the one that sets the rules. */
  readonly resources: { readonly sidecar: Resources; readonly init: Resources };
  /** Where traces and metrics go; undefined: nowhere. */
  readonly otlpEndpoint: string | undefined;
}

export interface Resources {
  readonly requests?: Readonly<Record<string, string>>;
  readonly limits?: Readonly<Record<string, string>>;
}

/** The webhook of a controller. */
export interface InjectionConfig {
  readonly settings: InjectionSettings;
  /** Names a MutatingWebhookConfiguration, whose caBundle the controller keeps. */
  readonly configuration: string;
  /** Names the Service in the controller's namespace that leads to `port`. */
  readonly service: string;
  readonly port: number;
}
