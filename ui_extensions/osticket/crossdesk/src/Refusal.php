<?php
namespace Crossdesk;

/** Why a call of the bridge was not done, surely: a status, a stable code and a sentence. */
class Refusal extends \Exception {
    public function __construct(public readonly int $status, public readonly string $errorCode, string $sentence) {
        parent::__construct($sentence);
    }
}
