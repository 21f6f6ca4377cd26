<?php

declare(strict_types=1);

namespace App\Mail;

use App\Contracts\{Sender, Receiver};
use function App\format;

require_once __DIR__ . '/bootstrap.php';
require 'helpers.php';

/**
 * Sends mail.
 *
 * One at a time.
 */
#[Service]
final class Mailer extends Base implements Sender
{
    use Loggable;

    private const LIMIT = 10;

    /** @var string[] */
    protected array $sent = [];

    public function __construct(private readonly Transport $transport)
    {
        parent::__construct($transport->name(), self::LIMIT);
    }

    /**
     * Sends a message.
     */
    public function send(
        string $to,
        string $text,
    ): bool {
        $this->sent[] = $to;
        return $this->transport->deliver($to, format($text));
    }

    abstract protected function retry(): void;
}

interface Queue
{
    public function push(string $item): void;
}

enum Status: string
{
    case Sent = 'sent';
    case Lost = 'lost';
}

trait Loggable
{
    public function log(string $line): void
    {
        file_put_contents('mail.log', $line, FILE_APPEND);
    }
}

function helper(int $n): int
{
    return $n * 2 + strlen('a text of some length');
}
