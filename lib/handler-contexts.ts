import { Inject, Injectable } from '@nestjs/common';
import { ApplicationConfig, ExternalContextCreator, ModulesContainer } from '@nestjs/core';
import type { NestContainer } from '@nestjs/core';
import { HandlerContext } from './handler-context.js';

/** The two ways of calling handlers: with the enhancers that are bound to them alone, or with those of the app as well. */
@Injectable()
export class HandlerContexts {
  readonly #bound: HandlerContext;
  readonly #appWide: HandlerContext;

  constructor(
    @Inject(ModulesContainer) modules: ModulesContainer,
    @Inject(ExternalContextCreator) creator: ExternalContextCreator,
  ) {
    // An empty config, as a microservice has it: app-wide guards and pipes are written for HTTP.
    const container = { getModules: () => modules, applicationConfig: new ApplicationConfig() };
    const bare = ExternalContextCreator.fromContainer(container as unknown as NestContainer);
    this.#bound = new HandlerContext(bare, false);
    this.#appWide = new HandlerContext(creator, true);
  }

  of(inheritAppConfig: boolean): HandlerContext {
    return inheritAppConfig ? this.#appWide : this.#bound;
  }
}
