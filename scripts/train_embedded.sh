# Sourced by scripts/train_mnist and scripts/train_cifar: how a network that comes with the program
# was trained. Arguments of theirs: the pictures, then, if given, the folder that gets the training's
# files (backup/NAME), then options of `darknet train`, such as --resume after a stop. At the end the
# new weights take the place of those that came with the program.

# train_embedded CFG NAME EVERY PICTURES [FOLDER] [OPTION]...
#
# Trains cfg/CFG.cfg on the pictures, validating every EVERY batches; says how well it knows the test
# pictures, class by class; then puts its weights into data/NAME.weights.
train_embedded() {
    cfg=$1 name=$2 every=$3
    pictures=$(cd "$4" && pwd)
    root=$(cd "$(dirname -- "$0")/.." && pwd)
    shift 4
    backup=$root/backup/$name
    case ${1:--} in
    -*) ;;
    /*) backup=$1 && shift ;;
    *) backup=$PWD/$1 && shift ;;
    esac
    cd "$root"

    ./darknet train "$pictures" "cfg/$cfg.cfg" --backup "$backup" --valid-every "$every" "$@"
    ./darknet classifier valid -q "$pictures" "cfg/$cfg.cfg" "$backup/$cfg.weights"
    cp "$backup/$cfg.weights" "data/$name.weights"
}
